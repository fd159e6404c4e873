"""Scalars of the schema: instants, durations, 64-bit integers and JSON, exact both ways."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

import graphene
from graphql import GraphQLError, value_from_ast_untyped
from graphql.language import IntValueNode, StringValueNode, print_ast

from aetherops.errors import InvalidInputError
from aetherops.instants import from_us, parse_us

if TYPE_CHECKING:
    from graphql.language import Node, ValueNode

__all__ = ["BigInt", "DateTime", "Duration", "Json"]

_DURATION = re.compile(r"(\d{1,18})(us|ms|s|m|h|d)", re.ASCII)
_DURATION_EXPECTED = (
    "a whole number and a unit of us, ms, s, m, h or d, such as 5m, of 1us to 10,000 years"
)
_UNITS_US = {
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
_MAX_DURATION_US = 10_000 * 366 * _UNITS_US["d"]
_INT64_MAX = 2**63 - 1


class DateTime(graphene.Scalar):
    """An instant as RFC 3339 text. Input must carry an offset; output is in UTC, with `Z`."""

    @staticmethod
    def serialize(value: int) -> str:
        """Text of microseconds since 1970, with no or six digits of a second, as columns have."""
        return from_us(value).replace(tzinfo=None).isoformat() + "Z"

    @staticmethod
    def parse_value(value: object, node: Node | None = None) -> int:
        """Microseconds since 1970 of the text."""
        try:
            return parse_us(value if isinstance(value, str) else "", "DateTime")
        except InvalidInputError as error:
            _refuse("DateTime", value, error.expected, node)

    @staticmethod
    def parse_literal(node: ValueNode, _variables: object = None) -> int:
        """Microseconds since 1970 of a literal in a document."""
        return DateTime.parse_value(_text_of(node), node)


class Duration(graphene.Scalar):
    """A length of time: a whole number and a unit (`us`, `ms`, `s`, `m`, `h`, `d`), as in `5m`."""

    @staticmethod
    def serialize(value: int) -> str:
        """Text of microseconds, in the largest unit that divides them."""
        unit = next(unit for unit, size in _UNITS_US.items() if value % size == 0)
        return f"{value // _UNITS_US[unit]}{unit}"

    @staticmethod
    def parse_value(value: object, node: Node | None = None) -> int:
        """Microseconds of the text, at least 1."""
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        length_us = int(match[1]) * _UNITS_US[match[2]] if match else 0
        if not 0 < length_us <= _MAX_DURATION_US:
            _refuse("Duration", value, _DURATION_EXPECTED, node)
        return length_us

    @staticmethod
    def parse_literal(node: ValueNode, _variables: object = None) -> int:
        """Microseconds of a literal in a document."""
        return Duration.parse_value(_text_of(node), node)


class BigInt(graphene.Scalar):
    """A whole number of up to 64 bits, as a JSON number (exact in JavaScript below 2^53)."""

    @staticmethod
    def serialize(value: int) -> int:
        """The number."""
        return int(value)

    @staticmethod
    def parse_value(value: object, node: Node | None = None) -> int:
        """The number, if it is whole and fits."""
        if type(value) is not int or not -_INT64_MAX - 1 <= value <= _INT64_MAX:
            _refuse("BigInt", value, "a whole number of up to 64 bits", node)
        return value

    @staticmethod
    def parse_literal(node: ValueNode, _variables: object = None) -> int:
        """The number of a literal in a document."""
        value = int(node.value) if isinstance(node, IntValueNode) and len(node.value) < 21 else None
        return BigInt.parse_value(print_ast(node) if value is None else value, node)


class Json(graphene.Scalar):
    """Any value of JSON: null, a boolean, a number, text, a list, or an object."""

    class Meta:
        name = "JSON"

    @staticmethod
    def serialize(value: Any) -> Any:
        """The value."""
        return value

    @staticmethod
    def parse_value(value: Any, node: Node | None = None) -> Any:
        """The value; what an event cannot hold is refused where it is made."""
        return value

    @staticmethod
    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        """The value of a literal in a document, variables within it included."""
        return value_from_ast_untyped(node, variables)


def _text_of(node: ValueNode) -> str:
    return node.value if isinstance(node, StringValueNode) else print_ast(node)


def _refuse(scalar: str, value: object, expected: str, node: Node | None) -> NoReturn:
    message = str(InvalidInputError(scalar, value, expected))
    raise GraphQLError(message, node, extensions={"expected": expected})

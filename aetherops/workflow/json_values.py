"""Values that JSON can hold, checked, and frozen so that an event stays what it was."""

from __future__ import annotations

import math
from typing import Any, NoReturn, TypeAlias

from aetherops.errors import InvalidInputError

__all__ = ["FrozenDict", "FrozenList", "JsonValue", "freeze_json"]

#: None, a boolean, a number, text, a list of these, or a mapping of text to these.
JsonValue: TypeAlias = Any

# Deeper than anything a person writes, and far from where a JSON parser gives up.
_MAX_DEPTH = 32
# Beyond 64 bits parsers differ: one keeps the integer, another makes it a float.
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    raise TypeError("what an event holds cannot change")


class FrozenDict(dict[str, JsonValue]):
    """A dictionary that cannot change; equal to a plain one with the same entries."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[object, ...]:
        return (FrozenDict, (dict(self),))

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, _: object) -> FrozenDict:
        return self


class FrozenList(list[JsonValue]):
    """A list that cannot change; equal to a plain one with the same items."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    def __reduce__(self) -> tuple[object, ...]:
        return (FrozenList, (list(self),))

    def __copy__(self) -> FrozenList:
        return self

    def __deepcopy__(self, _: object) -> FrozenList:
        return self


def freeze_json(value: object, field: str, depth: int = 0) -> JsonValue:
    """The same value, its containers copied into ones that cannot change.

    Parameters
    ----------
    value : anything.
    field : where it stands, for the error (``"result"``).

    Raises
    ------
    InvalidInputError
        JSON cannot hold the value, or it would be read back as another one.
    """
    if value is None or _is_plain(value):
        return value
    if depth > _MAX_DEPTH:
        raise InvalidInputError(field, value, f"at most {_MAX_DEPTH} levels of lists and objects")
    match value:
        case str():
            return checked_text(value, field)
        case int():
            return _checked_integer(value, field)
        case float():
            return _checked_float(value, field)
        case dict():
            return _frozen_object(value, field, depth)
        case list() | tuple():
            return FrozenList(
                freeze_json(item, f"{field}[{i}]", depth + 1) for i, item in enumerate(value)
            )
    raise InvalidInputError(
        field, value, "null, a boolean, a finite number, text, a list or an object"
    )


def _is_plain(value: object) -> bool:
    """Whether the value can stay as it is; false says nothing. Most are told without a call."""
    kind = type(value)
    if kind is str:
        return value.isascii()  # type: ignore[attr-defined,no-any-return]
    if kind is float:
        return math.isfinite(value)  # type: ignore[arg-type]
    if kind is int:
        return _INT_MIN <= value <= _INT_MAX  # type: ignore[operator]
    return value is None or kind is bool


def checked_text(value: str, field: str) -> str:
    """The text, a plain `str`; raises `InvalidInputError` where UTF-8 cannot hold it."""
    if value.isascii():
        return str(value)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInputError(field, value, "text without lone surrogates") from None
    return str(value)


def _checked_integer(value: int, field: str) -> int:
    if not _INT_MIN <= value <= _INT_MAX:
        raise InvalidInputError(field, value, "an integer of 64 bits, or its text")
    return int(value)


def _checked_float(value: float, field: str) -> float:
    if not math.isfinite(value):
        raise InvalidInputError(field, value, "a finite number")
    return float(value)


def _frozen_object(value: dict[Any, Any], field: str, depth: int) -> FrozenDict:
    frozen = {}
    for key, item in value.items():
        if type(key) is str and key.isascii() and _is_plain(item):
            frozen[key] = item
            continue
        if not isinstance(key, str):
            raise InvalidInputError(f"{field} key", key, "text")
        frozen[checked_text(key, f"{field} key")] = freeze_json(item, f"{field}.{key}", depth + 1)
    return FrozenDict(frozen)

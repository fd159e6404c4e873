"""What options hold, read from their texts: a fault is told by the option's name, in our words."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["choice", "file_to_write", "number", "one_of", "whole_number"]

C = TypeVar("C", bound=StrEnum)
_MOST_DIGITS = 19


def whole_number(option: str, text: str, least: int, most: int) -> int:
    """A whole number in decimal digits.

    Raises
    ------
    InvalidInputError
        It is none, or out of its range.
    """
    digits = text.strip().removeprefix("-").removeprefix("+")
    if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS:
        value = int(text)
        if least <= value <= most:
            return value
    raise InvalidInputError(option, text, f"a whole number from {least:,} to {most:,}")


def number(option: str, text: str) -> float:
    """A finite number from 0 upwards.

    Raises
    ------
    InvalidInputError
        It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value) and value >= 0 and "_" not in text:
        return value
    raise InvalidInputError(option, text, "a finite number from 0 upwards")


def choice(option: str, text: str, choices: type[C]) -> C:
    """One of the names of an enumeration.

    Raises
    ------
    InvalidInputError
        None of them has this name.
    """
    try:
        return choices(text)
    except ValueError:
        names = [one.value for one in choices]
        expected = f"{', '.join(names[:-1])} or {names[-1]}"
        raise InvalidInputError(option, text, expected) from None


def one_of(*options: tuple[str, bool]) -> None:
    """Refuse options that exclude each other.

    Raises
    ------
    InvalidInputError
        More than one of them is given.
    """
    given = [name for name, is_given in options if is_given]
    if len(given) > 1:
        names = [name for name, _ in options]
        expected = f"one of {', '.join(names[:-1])} and {names[-1]}"
        raise InvalidInputError(given[-1], f"{given[0]} beside it", expected)


def file_to_write(option: str, path: Path | None) -> None:
    """Refuse a path that is a directory.

    Raises
    ------
    InvalidInputError
        It is one.
    """
    if path is not None and path.is_dir():
        raise InvalidInputError(option, str(path), "a file, and this is a directory")

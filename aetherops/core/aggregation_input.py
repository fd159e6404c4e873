"""What both twins of the aggregation kernels accept: names, bounds, whole numbers, columns."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from operator import index
from typing import Any, TypeAlias

from aetherops.errors import InvalidInputError

__all__ = [
    "FLOAT64_FORMATS",
    "FUNCTIONS",
    "INT64_FORMATS",
    "MAX_DECIMALS",
    "MAX_EXACT_COUNT",
    "MAX_INSTANT_US",
    "MIN_STD",
    "NAN_POLICIES",
    "SummaryColumns",
    "check_lengths",
    "check_nan_policy",
    "check_offset_count",
    "checked_decimals",
    "checked_functions",
    "checked_int",
    "checked_int64",
    "checked_state",
    "checked_time_range",
    "column_refused",
    "count_refused",
    "int64_refused",
    "nan_refused",
    "offset_refused",
    "recast",
    "row_count_refused",
]

FUNCTIONS = ("mean", "median", "min", "max", "last")
"""What a bucket may be reduced to."""

NAN_POLICIES = ("propagate", "omit", "raise")
"""What a NaN may do."""

MIN_STD = 0.001
"""Stands in for the deviation of values that are all the same."""

MAX_EXACT_COUNT = 2**53
"""The most values that are counted: counts up to here are exact as float64."""

_MOST_VALUES = f"2**{MAX_EXACT_COUNT.bit_length() - 1}"

MAX_DECIMALS = 15
"""Powers of ten up to here, and their products with integers below 2**53, round as ``round``."""

MAX_INSTANT_US = 2**61
"""Distance from 1970 within which the sums of instants stay inside 64 bits."""

_ORDER = "<" if sys.byteorder == "little" else ">"
#: Formats of buffers, as the ``struct`` module writes them, of native float64 and int64.
FLOAT64_FORMATS = ("d", "@d", "=d", f"{_ORDER}d")
INT64_FORMATS = ("q", "l", "@q", "@l", "=q", f"{_ORDER}q")

#: The columns count, mean, m2, min, max, first, last.
SummaryColumns: TypeAlias = tuple[
    "array[int]",
    "array[float]",
    "array[float]",
    "array[float]",
    "array[float]",
    "array[float]",
    "array[float]",
]


def checked_functions(functions: str | Iterable[str]) -> tuple[str, ...]:
    """The names as a tuple, each known and given once.

    Raises
    ------
    InvalidInputError
        A name is unknown or stands twice, or there is none.
    """
    names = (functions,) if isinstance(functions, str) else tuple(functions)
    for name in names:
        if name not in FUNCTIONS or names.count(name) > 1:
            names = ()
            break
    if not names:
        known = ", ".join(FUNCTIONS)
        raise InvalidInputError("functions", functions, f"some of {known}, each once")
    return names


def check_nan_policy(policy: str) -> str:
    """The policy, which must be known."""
    if policy not in NAN_POLICIES:
        raise InvalidInputError("nan_policy", policy, "'propagate', 'omit' or 'raise'")
    return policy


def nan_refused(field: str) -> InvalidInputError:
    """The error for a NaN where the policy is to refuse it."""
    return InvalidInputError(field, float("nan"), "a number (nan_policy is 'raise')")


def checked_decimals(decimals: int | None) -> int | None:
    """The decimals as a plain integer, or ``None`` for no rounding."""
    if decimals is None:
        return None
    number = index(decimals)
    if not 0 <= number <= MAX_DECIMALS:
        raise InvalidInputError("decimals", decimals, f"None or 0 to {MAX_DECIMALS}")
    return number


def checked_int(field: str, value: int, low: int, high: int = MAX_EXACT_COUNT) -> int:
    """A whole number from ``low`` to ``high`` as a plain integer."""
    number = index(value)
    if not low <= number <= high:
        shown = _MOST_VALUES if high == MAX_EXACT_COUNT else f"{high}"
        raise InvalidInputError(field, value, f"a whole number from {low} to {shown}")
    return number


def checked_state(state: Sequence[Any], count: int) -> tuple[Any, ...]:
    """The parts of a state, which must be so many."""
    parts = tuple(state)
    if len(parts) != count:
        raise InvalidInputError("state", f"{len(parts)} parts", f"{count}")
    return parts


def int64_refused(field: str, value: int) -> InvalidInputError:
    """The error for an integer that does not fit 64 bits."""
    return InvalidInputError(field, value, "an integer of 64 bits")


def checked_int64(field: str, value: int) -> int:
    """An integer of 64 bits as a plain integer."""
    if type(value) is int and -(2**63) <= value < 2**63:
        return value
    number = index(value)
    if not -(2**63) <= number < 2**63:
        raise int64_refused(field, value)
    return number


def column_refused(field: str, value: object, kind: str) -> InvalidInputError:
    """The error for what is no contiguous one-dimensional buffer of ``kind``."""
    return InvalidInputError(field, type(value).__name__, f"a contiguous buffer of {kind}")


def recast(view: memoryview[Any], typecode: Any) -> memoryview[Any]:
    """A contiguous view of 8-byte numbers under the plain name of their format, "d" or "q"."""
    if view.format == typecode:
        return view
    # Views with a byte order in their format, as those of ctypes, and empty ones cannot be cast.
    if view.format[0] in "=<>" or not len(view):
        return memoryview(array(typecode, view.tobytes()))
    return view.cast("B").cast(typecode)


def count_refused(count: int) -> InvalidInputError:
    """The error for what would make a count inexact, before anything is counted."""
    return InvalidInputError("count", count, f"{_MOST_VALUES} values at most")


def row_count_refused(row: int, count: int) -> InvalidInputError:
    """The error for a row's count that is negative, or too large together with those before it."""
    return InvalidInputError(f"count[{row}]", count, f"0 or more, {_MOST_VALUES} at most in a run")


def offset_refused(at: int, offset: int, low: int, high: int) -> InvalidInputError:
    """The error for an offset that leaves the buffer, or comes before its predecessor."""
    return InvalidInputError(f"offsets[{at}]", offset, f"an index from {low} to {high}")


def check_offset_count(count: int) -> None:
    """There is one offset more than there are runs."""
    if count < 1:
        raise InvalidInputError("offsets", count, "one more than there are runs")


def check_lengths(expected: int, **lengths: int) -> None:
    """Every column, named with its length, is as long as expected."""
    for field, length in lengths.items():
        if length != expected:
            raise InvalidInputError(field, f"{length} values", f"{expected}")


def checked_time_range(
    ends: Sequence[int], count: int, width_us: int, origin_us: int, start_us: int, end_us: int
) -> tuple[int, int, int, int]:
    """Width, origin, start and end as plain integers; no sum of them or the times leaves 64 bits.

    ``ends`` are the first and the last of ``count`` ascending times, or nothing.
    """
    width_us = index(width_us)
    if not 1 <= width_us < MAX_INSTANT_US:
        raise InvalidInputError("width_us", width_us, "1 or more microseconds")
    fields = ["times_us[0]", f"times_us[{count - 1}]"] if ends else []
    fields += ["origin_us", "start_us", "end_us"]
    origin_us, start_us, end_us = index(origin_us), index(start_us), index(end_us)
    for field, instant in zip(fields, (*ends, origin_us, start_us, end_us), strict=True):
        if abs(instant) >= MAX_INSTANT_US:
            raise InvalidInputError(field, instant, "an instant within 2**61 µs of 1970")
    return width_us, origin_us, start_us, end_us

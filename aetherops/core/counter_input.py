"""What both twins of the limiter counters accept: keys, costs and instants, made plain."""

from __future__ import annotations

import operator
from array import array
from collections.abc import Iterable, Sequence

from aetherops.core.aggregation_input import INT64_FORMATS
from aetherops.errors import InvalidInputError

__all__ = [
    "MAX_EXACT_DOUBLE",
    "MAX_KEYS",
    "MAX_SUB_WINDOWS",
    "MAX_TIERS",
    "MAX_UNITS",
    "MAX_WINDOW_US",
    "plain_cost",
    "plain_costs",
    "plain_instant",
    "plain_key",
    "plain_keys",
    "plain_limit",
    "plain_max_keys",
    "plain_max_wait",
    "plain_reading",
    "plain_rows",
    "plain_sub_windows",
    "plain_tiers",
    "plain_window",
]

MAX_UNITS = 2**60
"""Bound of costs, instants and stored units: sums of two of them fit 64 bits."""

_MOST_UNITS = f"2^{MAX_UNITS.bit_length() - 1}"

MAX_EXACT_DOUBLE = 2**53
"""Whole numbers up to here are exact as doubles, so in Lua too."""

MAX_TIERS = 16
"""The most limits that one key may have."""

MAX_SUB_WINDOWS = 64
"""The finest cut of a sliding window."""

MAX_KEYS = 2**31 - 2
"""The most keys of one table: a slot and its absence fit 32 bits."""

MAX_WINDOW_US = 3653 * 86_400 * 1_000_000
"""Ten years."""

_MAX_READING_NS = 2**62  # beside the longest wait it fits 64 bits
_MIN_INT64 = -(2**63)
_MAX_INT64 = 2**63 - 1


def plain_key(key: object) -> str | int:
    """The key as an exact ``str``, or as an exact ``int`` of 64 bits.

    Raises
    ------
    InvalidInputError
        It is neither text nor an integer, or the integer needs more than 64 bits.
    """
    if isinstance(key, str):
        return str.__str__(key)
    number = _plain_int(key)
    if number is None or not _MIN_INT64 <= number <= _MAX_INT64:
        raise InvalidInputError("key", key, "text or an integer of 64 bits")
    return number


def plain_cost(cost: object) -> int:
    """The cost of a decision: an exact ``int`` from 1 to 2⁶⁰."""
    number = _plain_int(cost)
    if number is None or not 1 <= number <= MAX_UNITS:
        raise InvalidInputError("cost", cost, f"a whole number from 1 to {_MOST_UNITS}")
    return number


def plain_instant(now_us: object) -> int:
    """An instant given by the caller, in microseconds of its monotonic clock."""
    number = _plain_int(now_us)
    if number is None or not 0 <= number <= MAX_UNITS:
        raise InvalidInputError("now_us", now_us, f"microseconds from 0 to {_MOST_UNITS}")
    return number


def plain_reading(now_ns: object) -> int:
    """What a clock shows, in nanoseconds."""
    number = _plain_int(now_ns)
    if number is None or not -_MAX_READING_NS <= number <= _MAX_READING_NS:
        raise InvalidInputError("clock_ns", now_ns, "whole nanoseconds, at most 2^62")
    return number


def plain_keys(keys: object) -> list[str | int]:
    """Keys of a batch: from a buffer of int64, or from any iterable of keys but a string."""
    numbers = _int64_items(keys, "keys")
    if numbers is not None:
        return list(numbers)
    if isinstance(keys, (str, bytes, bytearray)) or not isinstance(keys, Iterable):
        raise InvalidInputError("keys", keys, "an iterable of keys, or a buffer of int64")
    return [plain_key(key) for key in keys]


def plain_costs(costs: object, count: int) -> list[int]:
    """Costs of a batch of ``count``: one for all, or as many, as a buffer of int64 or iterable."""
    items: Iterable[object] | None = _int64_items(costs, "costs")
    if items is None:
        if not isinstance(costs, Iterable):
            return [plain_cost(costs)] * count
        items = costs
    plain = [plain_cost(cost) for cost in items]
    if len(plain) != count:
        raise InvalidInputError("costs", len(plain), f"one cost for each of the {count} keys")
    return plain


def plain_tiers(
    tiers: Iterable[tuple[int, int, int]], count: int | None = None
) -> list[tuple[int, int, int]]:
    """Bucket tiers (gain, price, capacity) within their bounds, ``count`` of them if given."""
    plain = [(int(gain), int(price), int(capacity)) for gain, price, capacity in tiers]
    if not 1 <= len(plain) <= MAX_TIERS or (count is not None and len(plain) != count):
        raise InvalidInputError("tiers", len(plain), f"{count or f'1 to {MAX_TIERS}'} tiers")
    for gain, price, capacity in plain:
        if not (1 <= gain <= MAX_UNITS and 1 <= price <= capacity <= MAX_UNITS):
            raise InvalidInputError(
                "tiers",
                (gain, price, capacity),
                f"1 <= gain, 1 <= price <= capacity, all <= {_MOST_UNITS}",
            )
    return plain


def plain_limit(limit: object, most: int) -> int:
    """The most that a window grants: from 1 to ``most``."""
    number = _plain_int(limit)
    if number is None or not 1 <= number <= most:
        raise InvalidInputError("limit", limit, f"a whole number from 1 to {most}")
    return number


def plain_max_keys(max_keys: object) -> int:
    """How many keys a table may hold."""
    number = _plain_int(max_keys)
    if number is None or not 1 <= number <= MAX_KEYS:
        raise InvalidInputError("max_keys", max_keys, f"1 to {MAX_KEYS}")
    return number


def plain_max_wait(max_wait_us: object) -> int:
    """The longest wait in microseconds, cut to 2⁶⁰; any below 0 is no wait at all."""
    number = _plain_int(max_wait_us)
    if number is None:
        raise InvalidInputError("max_wait_us", max_wait_us, "whole microseconds")
    return min(max(number, -1), MAX_UNITS)


def plain_rows(rows: object, width: int, count: int) -> bytes:
    """Rows of ``width`` int64 for ``count`` keys, from any buffer of so many bytes."""
    try:
        view = memoryview(rows)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidInputError("rows", rows, "a buffer") from None
    if view.nbytes != 8 * width * count:
        raise InvalidInputError("rows", view.nbytes, f"{8 * width} bytes for each key")
    return view.tobytes()


def plain_window(window_us: object) -> int:
    """The length of a window in microseconds."""
    number = _plain_int(window_us)
    if number is None or not 1 <= number <= MAX_WINDOW_US:
        raise InvalidInputError(
            "window_us", window_us, f"microseconds from 1 to {MAX_WINDOW_US} (ten years)"
        )
    return number


def plain_sub_windows(sub_windows: object) -> int:
    """How many cells a window is cut into."""
    number = _plain_int(sub_windows)
    if number is None or not 1 <= number <= MAX_SUB_WINDOWS:
        raise InvalidInputError("sub_windows", sub_windows, f"1 to {MAX_SUB_WINDOWS}")
    return number


def _plain_int(value: object) -> int | None:
    try:
        return int(operator.index(value))  # type: ignore[arg-type]
    except TypeError:
        return None


def _int64_items(values: object, field: str) -> Sequence[int] | None:
    """The integers of a buffer of int64, or None where it is no such buffer."""
    if isinstance(values, (str, bytes, bytearray, list, tuple)):
        return None
    try:
        view = memoryview(values)  # type: ignore[arg-type]
    except TypeError:
        return None
    if view.ndim != 1:
        raise InvalidInputError(field, f"{view.ndim} dimensions", "one")
    if view.itemsize != 8 or view.format not in INT64_FORMATS:
        _check_readable(values, field)
        return None
    items: list[int] = array("q", view.tobytes()).tolist()
    return items


def _check_readable(values: object, field: str) -> None:
    """A memoryview may have a format that it cannot iterate over."""
    if isinstance(values, memoryview):
        try:
            values[:1].tolist()
        except NotImplementedError:
            raise InvalidInputError(field, f"a buffer of {values.format}", "one of int64") from None

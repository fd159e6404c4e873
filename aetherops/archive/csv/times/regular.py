"""Times of a regular shape, digit by digit over whole columns; all others are declined.

What the digits mean is defined by `aetherops.archive.csv.times.texts.TimeFormat.read`.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import numpy as np

from aetherops.archive.csv.times.epochs import EpochUnit
from aetherops.instants import from_us

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from numpy.typing import NDArray

__all__ = ["read_epochs", "read_isos"]

_HOUR_US = 3_600_000_000
_MOST_WIDTHS = 8
_ISO_SHAPE = re.compile(
    rb"\d{4}-(?:\d\d-\d\d|(?P<day>\d{3}))[T ](?P<clock>\d\d:\d\d:\d\d)"
    rb"(?P<fraction>[.,]\d{1,9})?(?P<offset>Z|[+-]\d\d:\d\d)?"
)
_EPOCH_SHAPE = re.compile(rb"(?P<whole>\d{1,19})(?P<fraction>\.\d{1,9})?")
_EPOCH_SHAPE_WITH_COMMA = re.compile(rb"(?P<whole>\d{1,19})(?P<fraction>,\d{1,9})?")


def read_isos(
    data: NDArray[np.uint8],
    starts: NDArray[np.intp],
    ends: NDArray[np.intp],
    zone: tzinfo | None,
) -> NDArray[np.int64] | None:
    """Microseconds of ISO 8601 times; of local ones in a zone.

    Parameters
    ----------
    data : text as bytes.
    starts, ends : shape (n,), where each time begins and ends in it.
    zone : of times without offset; ``None`` declines those.
    """
    return _read(
        data, starts, ends, _ISO_SHAPE, lambda digits, shape: _iso_column(digits, shape, zone)
    )


def read_epochs(
    data: NDArray[np.uint8],
    starts: NDArray[np.intp],
    ends: NDArray[np.intp],
    unit: EpochUnit,
    decimal_comma: bool,
) -> NDArray[np.int64] | None:
    """Microseconds of counts since 1970; for the first three see `read_isos`."""
    shape = _EPOCH_SHAPE_WITH_COMMA if decimal_comma else _EPOCH_SHAPE
    return _read(
        data, starts, ends, shape, lambda digits, match: _epoch_column(digits, match, unit)
    )


def _read(
    data: NDArray[np.uint8],
    starts: NDArray[np.intp],
    ends: NDArray[np.intp],
    shape: re.Pattern[bytes],
    column: Callable[[NDArray[np.uint8], re.Match[bytes]], NDArray[np.int64] | None],
) -> NDArray[np.int64] | None:
    """Times of all widths, each width as one column."""
    widths = ends - starts
    distinct = np.unique(widths)
    if len(distinct) > _MOST_WIDTHS or distinct[0] < 1:
        return None
    times = np.empty(len(starts), np.int64)
    for width in distinct.tolist():
        chosen = np.flatnonzero(widths == width)
        windows = np.lib.stride_tricks.sliding_window_view(data, width)
        characters = np.ascontiguousarray(windows[starts[chosen]].T)
        match = shape.fullmatch(characters[:, 0].tobytes())
        digits = None if match is None else _digits_of_one_shape(characters)
        read = None if match is None or digits is None else column(digits, match)
        if read is None:
            return None
        times[chosen] = read
    return times


def _digits_of_one_shape(characters: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Digits where the first time has some, if all else is the same in every time.

    `characters` has one row a place in the text, one column a time.
    """
    digits = characters - np.uint8(ord("0"))  # wraps: all that is no digit is above 9
    same = np.where(digits[:, :1] <= 9, digits <= 9, characters == characters[:, :1])
    return digits if same.all() else None


def _number(digits: NDArray[np.uint8], first: int, end: int) -> NDArray[np.int64]:
    """The whole number in places `first` to `end` (excluded) of every time."""
    number: NDArray[np.int64] = digits[first].astype(np.int64)
    for place in range(first + 1, end):
        number = number * 10 + digits[place]
    return number


def _fraction(
    digits: NDArray[np.uint8], shape: re.Match[bytes], decimals: int
) -> NDArray[np.int64] | int:
    """The first `decimals` digits behind the point, as if there were that many."""
    first, end = shape.start("fraction") + 1, shape.end("fraction")
    used = min(end - first, decimals) if shape["fraction"] else 0
    if used <= 0:
        return 0
    scale: int = 10 ** (decimals - used)
    return _number(digits, first, first + used) * scale


def _epoch_column(
    digits: NDArray[np.uint8], shape: re.Match[bytes], unit: EpochUnit
) -> NDArray[np.int64] | None:
    end = shape.end("whole")
    if unit is EpochUnit.NS:
        return _number(digits, 0, end - 3) if end > 3 else None
    if end + unit.decimals > 18:  # might leave the 64-bit integers
        return None
    scale: int = 10**unit.decimals
    return _number(digits, 0, end) * scale + _fraction(digits, shape, unit.decimals)


def _iso_column(
    digits: NDArray[np.uint8], shape: re.Match[bytes], zone: tzinfo | None
) -> NDArray[np.int64] | None:
    days = _days(digits) if shape["day"] is None else _days_of_year(digits)
    at = shape.start("clock")
    hour, minute, second = (_number(digits, place, place + 2) for place in (at, at + 3, at + 6))
    if days is None or hour.max() > 23 or minute.max() > 59 or second.max() > 59:
        return None
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    local_us = seconds * 1_000_000 + _fraction(digits, shape, 6)
    if shape["offset"] is None:
        return None if zone is None else _from_zone(local_us, zone)
    return _from_offset(local_us, digits, shape)


def _days(digits: NDArray[np.uint8]) -> NDArray[np.int64] | None:
    """Days since 1970 of year, month and day."""
    year, month, day = _number(digits, 0, 4), _number(digits, 5, 7), _number(digits, 8, 10)
    if year.min() < 1 or month.min() < 1 or month.max() > 12 or day.min() < 1:
        return None
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return _day_within(months, day)


def _days_of_year(digits: NDArray[np.uint8]) -> NDArray[np.int64] | None:
    """Days since 1970 of year and day of the year."""
    year, day = _number(digits, 0, 4), _number(digits, 5, 8)
    if year.min() < 1 or day.min() < 1:
        return None
    return _day_within((year - 1970).astype("datetime64[Y]"), day)


def _day_within(spans: NDArray[np.datetime64], day: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Days since 1970 of the nth day of each month or year, if it has so many."""
    first = spans.astype("datetime64[D]")
    if (day > ((spans + 1).astype("datetime64[D]") - first).astype(np.int64)).any():
        return None
    return first.astype(np.int64) + day - 1


def _from_offset(
    local_us: NDArray[np.int64], digits: NDArray[np.uint8], shape: re.Match[bytes]
) -> NDArray[np.int64] | None:
    if shape["offset"] == b"Z":
        return local_us
    at = shape.start("offset") + 1
    hours, minutes = _number(digits, at, at + 2), _number(digits, at + 3, at + 5)
    if hours.max() > 23 or minutes.max() > 59:
        return None
    offset_us = (hours * 60 + minutes) * 60_000_000
    return local_us - offset_us if shape["offset"][:1] == b"+" else local_us + offset_us


def _from_zone(local_us: NDArray[np.int64], zone: tzinfo) -> NDArray[np.int64] | None:
    """Local times to UTC; an offset is looked up once an hour, as it changes far less often."""
    if zone is UTC:
        return local_us
    hours, inverse = np.unique(local_us // _HOUR_US, return_inverse=True)
    offsets = np.empty(len(hours), np.int64)
    for index, hour in enumerate(hours.tolist()):
        begins = _offset_us(hour * _HOUR_US, zone)
        if begins != _offset_us((hour + 1) * _HOUR_US - 1, zone):
            return None
        offsets[index] = begins
    return local_us - offsets[inverse]


def _offset_us(local_us: int, zone: tzinfo) -> int:
    offset = zone.utcoffset(from_us(local_us).replace(tzinfo=None))
    assert offset is not None
    return offset // timedelta(microseconds=1)

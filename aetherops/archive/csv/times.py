"""Instants written as text: ISO 8601 or a count since 1970, one by one or a column at once.

`TimeFormat.read` is the definition. `TimeFormat.read_column` gives the same answers for
columns of a regular shape, digit by digit over whole columns, and declines all others.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from aetherops.instants import FIRST_US, LAST_US, from_us, to_us

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

__all__ = ["EpochUnit", "Reason", "RowError", "TimeFormat", "number_in"]

_HOUR_US = 3_600_000_000
_MOST_WIDTHS = 8
_ISO_SHAPE = re.compile(
    rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?P<fraction>\.\d{1,9})?(?P<offset>Z|[+-]\d\d:\d\d)?"
)
_EPOCH_SHAPE = re.compile(rb"(?P<whole>\d{1,19})(?P<fraction>\.\d{1,9})?")


class Reason(StrEnum):
    """Why a row was rejected."""

    FIELDS = "wrong number of fields"
    QUOTES = "broken quotes"
    TIME = "unreadable time"
    NAIVE_TIME = "time without offset"
    TIME_RANGE = "time outside the years 1 to 9999"
    EMPTY_VALUE = "empty value"
    VALUE = "unreadable value"
    NON_FINITE = "non-finite value"


class RowError(Exception):
    """A row that gives no sample; `detail` says what was found and what was expected."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason, detail)


class EpochUnit(StrEnum):
    """Unit of times that are counts since 1970-01-01T00:00:00Z."""

    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"

    @property
    def decimals(self) -> int:
        """Decimal digits between this unit and the microsecond; negative for a finer unit."""
        return {"s": 6, "ms": 3, "us": 0, "ns": -3}[self]

    @classmethod
    def of_magnitude(cls, count: float) -> EpochUnit:
        """The unit in which a count is an instant of our time: seconds below 1e11, and so on."""
        for unit, limit in ((cls.S, 1e11), (cls.MS, 1e14), (cls.US, 1e17)):
            if abs(count) < limit:
                return unit
        return cls.NS


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How a column's times are written.

    Parameters
    ----------
    epoch_unit : unit of counts since 1970; ``None`` for ISO 8601 text.
    zone : time zone of ISO times that carry no offset; ``None`` refuses those. Where clocks
        are set back, a local time that occurs twice is the first of the two; where they are
        set forward, one that is skipped counts in the offset before the change.
    """

    epoch_unit: EpochUnit | None = None
    zone: tzinfo | None = None

    def __str__(self) -> str:
        if self.epoch_unit is not None:
            names = {"s": "seconds", "ms": "milliseconds", "us": "microseconds"}
            return f"epoch {names.get(self.epoch_unit, 'nanoseconds')}"
        return "ISO 8601" if self.zone is None else f"ISO 8601, those without offset in {self.zone}"

    def read(self, text: str) -> int:
        """Microseconds of one time; digits finer than a microsecond are cut off.

        Raises
        ------
        RowError
            The text is no time of this format, or one outside the years 1 to 9999.
        """
        us = self._read_iso(text) if self.epoch_unit is None else self._read_epoch(text)
        if not FIRST_US <= us <= LAST_US:
            raise RowError(Reason.TIME_RANGE, f"time {text!r}")
        return us

    def _read_iso(self, text: str) -> int:
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            raise RowError(Reason.TIME, f"time {text!r}, expected ISO 8601") from None
        if instant.tzinfo is None:
            if self.zone is None:
                raise RowError(Reason.NAIVE_TIME, f"time {text!r}, and no time zone is given")
            instant = instant.replace(tzinfo=self.zone)
        return to_us(instant)

    def _read_epoch(self, text: str) -> int:
        assert self.epoch_unit is not None
        count = number_in(text)
        if count is None or not math.isfinite(count):
            raise RowError(Reason.TIME, f"time {text!r}, expected {self}")
        if abs(count) > 1e21:
            raise RowError(Reason.TIME_RANGE, f"time {text!r}")
        try:
            return math.floor(Decimal(text).scaleb(self.epoch_unit.decimals))
        except ArithmeticError:  # an exponent that Decimal cannot hold
            raise RowError(Reason.TIME, f"time {text!r}, expected {self}") from None

    def read_column(
        self, data: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp]
    ) -> NDArray[np.int64] | None:
        """Microseconds of many times, or ``None`` where `read` has to look at each.

        Parameters
        ----------
        data : text as bytes.
        starts, ends : shape (n,), where each time begins and ends in it.
        """
        widths = ends - starts
        distinct = np.unique(widths)
        if len(distinct) > _MOST_WIDTHS or distinct[0] < 1:
            return None
        times = np.empty(len(starts), np.int64)
        for width in distinct.tolist():
            chosen = np.flatnonzero(widths == width)
            windows = np.lib.stride_tricks.sliding_window_view(data, width)
            read = self._read_rows(np.ascontiguousarray(windows[starts[chosen]].T))
            if read is None:
                return None
            times[chosen] = read
        if times.min() < FIRST_US or times.max() > LAST_US:
            return None
        return times

    def _read_rows(self, characters: NDArray[np.uint8]) -> NDArray[np.int64] | None:
        """Times of one shape; `characters` has one row a place in the text, one column a time."""
        shape = (_ISO_SHAPE if self.epoch_unit is None else _EPOCH_SHAPE).fullmatch(
            characters[:, 0].tobytes()
        )
        if shape is None:
            return None
        digits = characters - np.uint8(ord("0"))  # wraps: all that is no digit is above 9
        first = characters[:, :1]
        is_digit = digits[:, :1] <= 9
        if not np.where(is_digit, digits <= 9, characters == first).all():
            return None
        if self.epoch_unit is None:
            return _iso_column(digits, shape, self.zone)
        return _epoch_column(digits, shape, self.epoch_unit)


def number_in(text: str) -> float | None:
    """The number that text is, as `float` reads it, or ``None``; ASCII without underscores."""
    if "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None


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
    year, month, day = _number(digits, 0, 4), _number(digits, 5, 7), _number(digits, 8, 10)
    hour, minute, second = (_number(digits, at, at + 2) for at in (11, 14, 17))
    if year.min() < 1 or month.min() < 1 or month.max() > 12 or day.min() < 1:
        return None
    if hour.max() > 23 or minute.max() > 59 or second.max() > 59:
        return None
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]")
    if (day > ((months + 1).astype("datetime64[D]") - days).astype(np.int64)).any():
        return None
    seconds = (((days.astype(np.int64) + day - 1) * 24 + hour) * 60 + minute) * 60 + second
    local_us = seconds * 1_000_000 + _fraction(digits, shape, 6)
    if shape["offset"] is None:
        return None if zone is None else _from_zone(local_us, zone)
    return _from_offset(local_us, digits, shape)


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

"""Instants: UTC-aware datetimes at the edges, integer microseconds since 1970 inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from aetherops.errors import InvalidInputError

__all__ = [
    "FIRST_US",
    "LAST_US",
    "end_to_iso",
    "from_us",
    "parse_us",
    "range_end",
    "to_iso",
    "to_us",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: The first and last instant that a datetime in UTC can say: years 1 to 9999.
FIRST_US, LAST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
# More than six digits of a second would be cut off without a word.
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EXPECTED = (
    "an RFC 3339 time with an offset and at most six digits of a second, "
    "such as 2026-01-31T12:00:00Z"
)
_EXPECTED_YEAR = "a time of the years 1 to 9999 in UTC, on a day there is, and without leap seconds"


def to_us(instant: datetime, field: str = "instant") -> int:
    """Microseconds since 1970-01-01T00:00:00Z of an aware datetime.

    Raises
    ------
    InvalidInputError
        The datetime is naive: without an offset it names no instant.
    """
    if instant.utcoffset() is None:
        raise InvalidInputError(
            field, instant.isoformat(), "a time with an offset, such as 2026-01-31T12:00:00Z"
        )
    return (instant - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The UTC datetime of microseconds since 1970-01-01T00:00:00Z."""
    return _EPOCH + timedelta(microseconds=us)


def parse_us(text: str, field: str = "instant") -> int:
    """Microseconds of an RFC 3339 time: a date, a time of day and an offset.

    Raises
    ------
    InvalidInputError
        The text is no such time, has no offset, has digits beyond the microsecond, or says a
        time that datetimes in UTC cannot.
    """
    if not _RFC_3339.fullmatch(text):
        raise InvalidInputError(field, text, _EXPECTED)
    try:
        us = to_us(datetime.fromisoformat(text.upper()), field)
    except ValueError:
        us = LAST_US + 1
    if not FIRST_US <= us <= LAST_US:
        raise InvalidInputError(field, text, _EXPECTED_YEAR)
    return us


def to_iso(us: int) -> str:
    """ISO 8601 text of an instant, UTC, with ``Z`` and as few digits as it needs (0, 3 or 6)."""
    instant = from_us(us)
    if us % 1_000_000 == 0:
        digits = "seconds"
    else:
        digits = "milliseconds" if us % 1_000 == 0 else "microseconds"
    return instant.replace(tzinfo=None).isoformat(timespec=digits) + "Z"


def range_end(us: int) -> int:
    """The first instant after a range that is said to end at `us`.

    A range is without its end. After the last instant of year 9999 there is none that could be
    said: a range that ends there holds it.
    """
    return LAST_US + 1 if us == LAST_US else us


def end_to_iso(end_us: int) -> str:
    """How the end of a range is said: `range_end` of the text's instant is `end_us`."""
    return to_iso(min(end_us, LAST_US))

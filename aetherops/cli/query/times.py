"""Times as people type them: ISO 8601 as far as it goes, or a distance from now."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from aetherops.archive.csv.times.iso import parse_iso
from aetherops.errors import InvalidInputError
from aetherops.instants import FIRST_US, LAST_US, to_us

__all__ = ["is_date", "parse_time"]

_UNITS_US = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 7 * 86_400_000_000,
}
_DISTANCE = re.compile(
    rf"(?P<sign>[+-])(?P<count>\d{{1,12}})(?P<unit>{'|'.join(_UNITS_US)})", re.ASCII
)
_DATE = re.compile(r"\d{4}-(\d\d-\d\d|\d{3})", re.ASCII)
# More than six digits of a second would be cut off without a word.
_TIME = re.compile(
    rf"{_DATE.pattern}[Tt ]\d\d:\d\d(:\d\d([.,]\d{{1,6}})?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EXPECTED = (
    "a time with an offset such as 2026-01-31T12:00Z, a date such as 2026-01-31 (its midnight in "
    "UTC), a distance from now such as -1h, -15min or -7d, or now"
)


def parse_time(text: str, now_us: int, field: str) -> int:
    """Microseconds since 1970 of a time.

    Parameters
    ----------
    text : an ISO 8601 time with an offset, to the minute or finer; a date, which is its
        midnight in UTC; ``now``; or a distance from it: a sign, a whole number and a unit of
        us, ms, s, m or min, h, d, w.
    now_us : the instant that is now.
    field : where the text stands, for errors.

    Raises
    ------
    InvalidInputError
        The text is none of these, or lies outside the years 1 to 9999.
    """
    distance = _DISTANCE.fullmatch(text)
    if text == "now":
        return now_us
    if distance is not None:
        us = int(distance["count"]) * _UNITS_US[distance["unit"]]
        us = now_us + us if distance["sign"] == "+" else now_us - us
    else:
        us = _absolute(text, field)
    if not FIRST_US <= us <= LAST_US:
        raise InvalidInputError(field, text, "a time in the years 1 to 9999")
    return us


def is_date(text: str) -> bool:
    """Whether a time is a date alone, which stands for its midnight in UTC."""
    return _DATE.fullmatch(text) is not None


def _absolute(text: str, field: str) -> int:
    try:
        if is_date(text):
            return to_us(parse_iso(text).replace(tzinfo=UTC), field)
        if _TIME.fullmatch(text):
            return to_us(parse_iso(text.upper()), field)
        parsed: datetime | None = parse_iso(text)
    except ValueError:
        parsed = None
    if parsed is not None and parsed.tzinfo is None:
        raise InvalidInputError(field, text, f"an offset: {text}Z is in UTC")
    raise InvalidInputError(field, text, _EXPECTED)

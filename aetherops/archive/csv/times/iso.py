"""ISO 8601 text, whose date may be a year and a day of the year."""

from __future__ import annotations

import re
from calendar import isleap
from datetime import date, datetime, timedelta

__all__ = ["parse_iso"]

# CCSDS 301.0, ASCII time code B.
_DAY_OF_YEAR = re.compile(r"(\d{4})-(\d{3})(?=[T ]|$)", re.ASCII)


def parse_iso(text: str) -> datetime:
    """The date and time of ISO 8601 text, whose date may be a year and a day of the year.

    Raises
    ------
    ValueError
        The text is no such time.
    """
    day = _DAY_OF_YEAR.match(text)
    if day is None:
        return datetime.fromisoformat(text)
    year, of_year = int(day[1]), int(day[2])
    if not 1 <= of_year <= 365 + isleap(year):
        raise ValueError(f"the year {year} has no day {of_year}")
    named = date(year, 1, 1) + timedelta(days=of_year - 1)
    return datetime.fromisoformat(named.isoformat() + text[day.end() :])

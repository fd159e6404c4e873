"""Which columns of a file are meant: by name, by what they hold, by a usual name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aetherops.archive.csv.reasons import Reason, RowError
from aetherops.archive.csv.times.texts import TimeFormat
from aetherops.archive.csv.values import loose_number_in
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "find_times",
    "looks_like_time",
    "mostly_numbers",
    "named_column",
    "only_column",
]

_TIME_NAMES = frozenset({"time", "timestamp", "utc", "datetime", "time_utc", "time_tag"})
# A count below this (3 March 1973 in seconds) is taken for a time only where one is asked for.
_LEAST_EPOCH = 1e8


def named_column(columns: Sequence[str], name: str, what: str) -> int:
    """Index of the column with a name of the header, or with a number that counts from 1."""
    matches = [i for i, column in enumerate(columns) if column == name] or [
        i for i, column in enumerate(columns) if column.casefold() == name.casefold()
    ]
    if not matches and name.isdecimal() and 1 <= int(name) <= len(columns):
        matches = [int(name) - 1]
    if len(matches) > 1:
        numbers = ", ".join(str(i + 1) for i in matches)
        raise InvalidInputError(
            what, name, f"a name of one column alone, or its number ({numbers})"
        )
    if not matches:
        raise InvalidInputError(what, name, f"one of the columns {', '.join(columns)}")
    return matches[0]


def find_times(columns: Sequence[str], fields: Sequence[Sequence[str]], taken: set[int]) -> int:
    """The column of times. ISO 8601 is one beyond doubt; a large number may be a value."""
    free = [i for i in range(len(columns)) if i not in taken]
    iso = [i for i in free if _mostly(fields[i], _iso)]
    epoch = [i for i in free if _mostly(fields[i], _plausible_epoch)]
    return only_column("time column", columns, iso or epoch, _TIME_NAMES)


def only_column(
    what: str, columns: Sequence[str], candidates: Sequence[int], usual_names: frozenset[str]
) -> int:
    """The one candidate, or the one of them that has a usual name."""
    usual = [i for i in candidates if columns[i].casefold() in usual_names]
    if len(candidates) == 1:
        return candidates[0]
    if len(usual) == 1:
        return usual[0]
    if candidates:
        choice = ", ".join(columns[i] for i in candidates)
        raise InvalidInputError(what, "several", f"the name of one of {choice}")
    raise InvalidInputError(
        what, "none", f"that one of {', '.join(columns)} is chosen or looks like it"
    )


def mostly_numbers(fields: Sequence[str]) -> bool:
    """Whether at least half of the fields are numbers."""
    return _mostly(fields, loose_number_in)


def looks_like_time(text: str) -> bool:
    """Whether text is an ISO 8601 time, with or without offset."""
    return _iso(text) is not None


def _mostly(fields: Sequence[str], read: Callable[[str], float | None]) -> bool:
    return bool(fields) and 2 * sum(read(text) is not None for text in fields) >= len(fields)


def _iso(text: str) -> float | None:
    if loose_number_in(text) is not None:  # 20260131 is a number before it is a date
        return None
    try:
        return float(TimeFormat().read(text))
    except RowError as error:
        return 0.0 if error.reason is Reason.NAIVE_TIME else None


def _plausible_epoch(text: str) -> float | None:
    number = loose_number_in(text)
    return number if number is not None and _LEAST_EPOCH <= abs(number) < math.inf else None

"""What a CSV file looks like: its delimiter, its header, and which columns hold the samples."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.archive.csv.times import EpochUnit, Reason, RowError, TimeFormat, number_in
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

__all__ = ["Layout", "Wanted", "detect_layout", "split_line"]

_DELIMITERS = ("\t", ";", ",")
_SAMPLED_LINES = 200
_TIME_NAMES = frozenset({"time", "timestamp", "utc", "datetime", "time_utc", "time_tag"})
_VALUE_NAMES = frozenset({"value"})
# A count below this (3 March 1973 in seconds) is taken for a time only where one is asked for.
_LEAST_EPOCH = 1e8


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known of a file beforehand; ``None`` is found out.

    Parameters
    ----------
    time_column, value_column : a name of the header, or a number that counts from 1.
    epoch_unit : unit of times that are counts since 1970.
    zone : time zone of times without offset.
    """

    time_column: str | None = None
    value_column: str | None = None
    epoch_unit: EpochUnit | None = None
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How to find the samples in the lines of a file.

    Parameters
    ----------
    delimiter : between fields.
    columns : names of the header, or ``"1"``, ``"2"`` … without one.
    has_header : whether the first line that is not blank is a header.
    time_index, value_index : the columns of the samples, from 0.
    times : how times are written.
    """

    delimiter: str
    columns: tuple[str, ...]
    has_header: bool
    time_index: int
    value_index: int
    times: TimeFormat

    @property
    def time_column(self) -> str:
        """Name of the column of times."""
        return self.columns[self.time_index]

    @property
    def value_column(self) -> str:
        """Name of the column of values."""
        return self.columns[self.value_index]


def split_line(line: str, delimiter: str) -> list[str]:
    """The fields of one line, quotes removed. A quoted field ends within its line.

    Raises
    ------
    RowError
        A quote is not closed, or stands where none may.
    """
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise RowError(Reason.QUOTES, str(error)) from None


def detect_layout(lines: Sequence[str], wanted: Wanted) -> Layout:
    """Find the layout of a file from its first lines.

    Parameters
    ----------
    lines : first lines of the file, without line ends; some 200 are looked at.
    wanted : what the caller knows already.

    Raises
    ------
    InvalidInputError
        There is no line, no delimiter, or not one column that can be meant.
    """
    filled = [line for line in lines if line.strip()][:_SAMPLED_LINES]
    if not filled:
        raise InvalidInputError("file", "no lines", "rows with a time and a value")
    delimiter = _find_delimiter(filled)
    rows = _split_lines(filled, delimiter)
    first = rows[0]
    has_header = not any(_looks_like_time(f) or number_in(f) is not None for f in first)
    if has_header and len(rows) == 1:
        raise InvalidInputError("file", lines[0], "rows after the header")
    columns = tuple(first) if has_header else tuple(str(i + 1) for i in range(len(first)))
    fields = _columns_of([row for row in rows[has_header:] if len(row) == len(first)], len(first))
    return _choose(delimiter, columns, has_header, fields, wanted)


def _choose(
    delimiter: str,
    columns: tuple[str, ...],
    has_header: bool,
    fields: list[list[str]],
    wanted: Wanted,
) -> Layout:
    value = _named(columns, wanted.value_column, "value column")
    time = _named(columns, wanted.time_column, "time column")
    if time is None:
        time = _find_times(columns, fields, value)
    if value is None:
        numeric = [i for i, column in enumerate(fields) if i != time and _mostly(column, number_in)]
        value = _only("value column", columns, numeric, _VALUE_NAMES)
    if time == value:
        raise InvalidInputError("value column", columns[value], "another column than the times'")
    times = _time_format(columns[time], fields[time], wanted)
    return Layout(delimiter, columns, has_header, time, value, times)


def _find_delimiter(lines: list[str]) -> str:
    """The delimiter that cuts most lines into as many fields as the first; ties go to `;`."""

    def agreement(delimiter: str) -> int:
        rows = _split_lines(lines, delimiter)
        return 0 if len(rows[0]) < 2 else sum(len(row) == len(rows[0]) for row in rows)

    best = max(_DELIMITERS, key=agreement)
    if agreement(best) == 0:
        raise InvalidInputError(
            "first line", lines[0], "at least two fields, delimited by comma, semicolon or tab"
        )
    return best


def _split_lines(lines: list[str], delimiter: str) -> list[list[str]]:
    """Fields of every line; a line with broken quotes has none."""
    rows = []
    for line in lines:
        try:
            rows.append([field.strip() for field in split_line(line, delimiter)])
        except RowError:
            rows.append([])
    return rows


def _columns_of(rows: list[list[str]], width: int) -> list[list[str]]:
    return [[row[index] for row in rows if row[index]] for index in range(width)]


def _named(columns: tuple[str, ...], name: str | None, what: str) -> int | None:
    if name is None:
        return None
    matches = [i for i, column in enumerate(columns) if column == name] or [
        i for i, column in enumerate(columns) if column.casefold() == name.casefold()
    ]
    if not matches and name.isdecimal() and 1 <= int(name) <= len(columns):
        matches = [int(name) - 1]
    if len(matches) != 1:
        raise InvalidInputError(what, name, f"one of the columns {_listed(columns)}")
    return matches[0]


def _find_times(columns: tuple[str, ...], fields: list[list[str]], taken: int | None) -> int:
    """The column of times. ISO 8601 is one beyond doubt; a large number may be a value."""
    free = [i for i in range(len(columns)) if i != taken]
    iso = [i for i in free if _mostly(fields[i], _iso)]
    epoch = [i for i in free if _mostly(fields[i], _plausible_epoch)]
    return _only("time column", columns, iso or epoch, _TIME_NAMES)


def _only(
    what: str, columns: tuple[str, ...], candidates: list[int], usual_names: frozenset[str]
) -> int:
    """The one candidate, or the one of them that has a usual name."""
    usual = [i for i in candidates if columns[i].casefold() in usual_names]
    if len(candidates) == 1:
        return candidates[0]
    if len(usual) == 1:
        return usual[0]
    if candidates:
        choice = _listed(tuple(columns[i] for i in candidates))
        raise InvalidInputError(what, "no choice", f"a choice between {choice}")
    raise InvalidInputError(
        what, "none", f"that one of {_listed(columns)} is chosen or looks like it"
    )


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(columns)


def _mostly(column: list[str], read: Callable[[str], float | None]) -> bool:
    """Whether at least half of the fields that are not empty can be read."""
    return bool(column) and 2 * sum(read(field) is not None for field in column) >= len(column)


def _iso(text: str) -> float | None:
    if number_in(text) is not None:  # 20260131 is a number before it is a date
        return None
    try:
        return float(TimeFormat().read(text))
    except RowError as error:
        return 0.0 if error.reason is Reason.NAIVE_TIME else None


def _plausible_epoch(text: str) -> float | None:
    number = number_in(text)
    return number if number is not None and _LEAST_EPOCH <= abs(number) < math.inf else None


def _looks_like_time(text: str) -> bool:
    return _iso(text) is not None


def _time_format(column: str, fields: list[str], wanted: Wanted) -> TimeFormat:
    counts = [n for n in map(number_in, fields) if n is not None and math.isfinite(n)]
    iso = any(_looks_like_time(field) for field in fields)
    if counts and (2 * len(counts) >= len(fields) or not iso):
        largest = max(counts, key=abs)
        return TimeFormat(wanted.epoch_unit or EpochUnit.of_magnitude(largest))
    if iso or not fields:
        return TimeFormat(None, wanted.zone)
    raise InvalidInputError(f"column {column}", fields[0], "ISO 8601 or epoch times")

"""What a CSV file looks like: its delimiter, its header, and which columns hold the samples."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aetherops.archive.csv.columns import (
    find_times,
    looks_like_time,
    mostly_numbers,
    named_column,
    only_column,
)
from aetherops.archive.csv.lines import find_delimiter, is_comment, split_line, split_lines
from aetherops.archive.csv.times.texts import EpochUnit, TimeFormat
from aetherops.archive.csv.values import ValueFormat, loose_number_in, number_in
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

__all__ = ["Layout", "LayoutOptions", "detect_layout", "split_line"]

_SAMPLED_LINES = 2_000
_VALUE_NAMES = frozenset({"value"})
# 1,234 may be a number with a decimal comma or one of over a thousand.
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LayoutOptions:
    """What is known of a file beforehand; ``None`` is found out.

    Columns are given by a name of the header, or by a number that counts from 1.

    Parameters
    ----------
    time_column, value_column : where the samples stand.
    epoch_unit : unit of times that are counts since 1970.
    zone : time zone of times without offset.
    value_columns : several columns of values, in place of one.
    all_columns : every column of numbers holds values.
    split_by : the column that says which object a row is of.
    decimal_comma : whether ``1,5`` is one and a half.
    missing : texts that stand for no value.
    """

    time_column: str | None = None
    value_column: str | None = None
    epoch_unit: EpochUnit | None = None
    zone: tzinfo | None = None
    value_columns: tuple[str, ...] = ()
    all_columns: bool = False
    split_by: str | None = None
    decimal_comma: bool | None = None
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Layout:
    """How to find the samples in the lines of a file.

    Parameters
    ----------
    delimiter : between fields.
    columns : names of the header, or ``"1"``, ``"2"`` … without one.
    has_header : whether the first line that is no comment and not blank is a header.
    time_index, value_index : the columns of the samples, from 0.
    times, values : how times and values are written.
    more_values : further columns of values.
    split_index : the column that says which object a row is of.
    """

    delimiter: str
    columns: tuple[str, ...]
    has_header: bool
    time_index: int
    value_index: int
    times: TimeFormat
    values: ValueFormat = field(default_factory=ValueFormat)
    more_values: tuple[int, ...] = ()
    split_index: int | None = None

    @property
    def time_column(self) -> str:
        """Name of the column of times."""
        return self.columns[self.time_index]

    @property
    def value_column(self) -> str:
        """Name of the first column of values."""
        return self.columns[self.value_index]

    @property
    def value_indices(self) -> tuple[int, ...]:
        """All columns of values."""
        return (self.value_index, *self.more_values)

    def __str__(self) -> str:
        values = ", ".join(self.columns[index] for index in self.value_indices)
        comma = ", decimal comma" if self.values.decimal_comma else ""
        text = f"{self.time_column} ({self.times}), {values}{comma}"
        return text if self.split_index is None else f"{text} by {self.columns[self.split_index]}"


def detect_layout(lines: Sequence[str], options: LayoutOptions) -> Layout:
    """Find the layout of a file from its first lines.

    Parameters
    ----------
    lines : first lines of the file, without line ends; some 2,000 are looked at.
    options : what the caller knows already.

    Raises
    ------
    InvalidInputError
        There is no line, no delimiter, or not one column that can be meant.
    """
    filled = [line for line in lines if line.strip() and not is_comment(line)][:_SAMPLED_LINES]
    if not filled:
        raise InvalidInputError("file", "no lines", "rows with a time and a value")
    delimiter = find_delimiter(filled)
    rows = split_lines(filled, delimiter)
    first = rows[0]
    has_header = not any(looks_like_time(f) or loose_number_in(f) is not None for f in first)
    if has_header and len(rows) == 1:
        raise InvalidInputError("file", filled[0], "rows after the header")
    columns = tuple(first) if has_header else _names_without_header(lines, delimiter, len(first))
    whole = [row for row in rows[has_header:] if len(row) == len(first)]
    none = options.missing | {""}
    fields = [[row[i] for row in whole if row[i] not in none] for i in range(len(first))]
    time, values, split = _choose_columns(columns, fields, options)
    return Layout(
        delimiter,
        columns,
        has_header,
        time,
        values[0],
        _time_format(columns[time], fields[time], options),
        ValueFormat(_decimal_comma([fields[i] for i in values], options), options.missing),
        tuple(values[1:]),
        split,
    )


def _names_without_header(lines: Sequence[str], delimiter: str, width: int) -> tuple[str, ...]:
    """Names that the last comment before the rows gives to as many columns, else numbers."""
    names: list[str] = []
    for line in lines:
        if is_comment(line):
            (names,) = split_lines([line.strip().lstrip("# ")], delimiter)
        elif line.strip():
            break
    if len(names) == width and all(names) and all(number_in(name) is None for name in names):
        return tuple(names)
    return tuple(str(i + 1) for i in range(width))


def _choose_columns(
    columns: tuple[str, ...], fields: list[list[str]], options: LayoutOptions
) -> tuple[int, list[int], int | None]:
    """The column of times, those of values, and the one that tells objects apart."""
    named = options.value_columns or ((options.value_column,) if options.value_column else ())
    values = [named_column(columns, name, "value column") for name in named]
    split = None
    if options.split_by is not None:
        split = named_column(columns, options.split_by, "split column")
    if options.time_column is not None:
        time = named_column(columns, options.time_column, "time column")
    else:
        time = find_times(columns, fields, {*values} if split is None else {*values, split})
    if not values:
        free = [i for i in range(len(columns)) if i not in (time, split)]
        values = [i for i in free if mostly_numbers(fields[i])]
        if not (options.all_columns and values):
            values = [only_column("value column", columns, values, _VALUE_NAMES)]
    if time in values:
        raise InvalidInputError("value column", columns[time], "another column than the times'")
    if split is not None and split in (time, *values):
        expected = "a column that holds neither the times nor the values"
        raise InvalidInputError("split column", columns[split], expected)
    return time, values, split


def _decimal_comma(fields: list[list[str]], options: LayoutOptions) -> bool:
    """Whether the numbers of these columns have a decimal comma."""
    if options.decimal_comma is not None:
        return options.decimal_comma
    numbers = [text for column in fields for text in column if loose_number_in(text) is not None]
    with_comma = [text for text in numbers if "," in text]
    if not with_comma or any("." in text for text in numbers):
        return False
    if all(_THOUSANDS.fullmatch(text) for text in with_comma):
        expected = "a word on whether the comma stands before decimals or between thousands"
        raise InvalidInputError("decimal comma", with_comma[0], expected)
    return True


def _time_format(column: str, fields: list[str], options: LayoutOptions) -> TimeFormat:
    numbers = [loose_number_in(text) for text in fields]
    counts = [number for number in numbers if number is not None and math.isfinite(number)]
    iso = any(looks_like_time(text) for text in fields)
    if counts and (2 * len(counts) >= len(fields) or not iso):
        ((unit, _),) = Counter(map(EpochUnit.of_magnitude, counts)).most_common(1)
        return TimeFormat(
            options.epoch_unit or unit,
            inferred=options.epoch_unit is None,
            decimal_comma=sum("," in text for text in fields) > sum("." in text for text in fields),
        )
    if iso or not fields:
        return TimeFormat(None, options.zone)
    raise InvalidInputError(f"column {column}", fields[0], "ISO 8601 or epoch times")

"""CSV row by row: each bad row is named by its line and its reason, the good ones are kept."""

from __future__ import annotations

from array import array
from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from aetherops.archive.csv.lines import is_comment, split_line
from aetherops.archive.csv.parsed import ParsedBlock, ParsedSeries, RejectedRow, SeriesKey
from aetherops.archive.csv.reasons import Reason, RowError
from aetherops.archive.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.archive.csv.layout import Layout

__all__ = ["parse_by_row"]

# A column of values, and the times, values and lines that rows gave for it.
_Target: TypeAlias = "tuple[int, array[int], array[float], array[int]]"


def parse_by_row(block: bytes, layout: Layout, first_line: int) -> ParsedBlock:
    """What any block holds. Blank lines and comments are no rows."""
    reader = _RowReader(layout)
    text = block.decode("utf-8", errors="replace").removesuffix("\n")
    lines = text.split("\n")
    if "#" in text:  # as many as before: a line's number is its place
        lines = ["" if is_comment(line) else line for line in lines]
    reader.read(lines, first_line)
    return ParsedBlock(reader.series(), tuple(reader.rejected), reader.rows, reader.missing)


class _RowReader:
    """Reads rows one by one, and keeps what they give: times, values and lines of each series."""

    def __init__(self, layout: Layout) -> None:
        self.rejected: list[RejectedRow] = []
        self.rows = 0
        self.missing = 0
        self._layout = layout
        self._targets: dict[str, list[_Target]] = defaultdict(self._new_targets)

    def read(self, lines: Sequence[str], first: int) -> None:
        """Keep what lines hold, numbered from the first on; bad ones are rejected."""
        layout, targets = self._layout, self._targets
        delimiter, time_index, split_index = layout.delimiter, layout.time_index, layout.split_index
        read_time, read_value, width = layout.times.read, layout.values.read, len(layout.columns)
        self.rows += len(lines)
        series = targets[""]
        for number, line in enumerate(lines, first):
            if not line.strip():
                self.rows -= 1
                continue
            try:
                # Most lines have no quote, and a call for each would be felt.
                fields = split_line(line, delimiter) if '"' in line else line.split(delimiter)
                if len(fields) != width:
                    raise RowError(Reason.FIELDS, f"{len(fields)} fields, expected {width}")
                time_us = read_time(fields[time_index].strip())
                if split_index is not None:
                    series = targets[_object_in(fields[split_index])]
            except RowError as error:
                self._reject(number, line, error)
                continue
            # A bad value spoils its column of the row only.
            for index, times, values, numbers in series:
                try:
                    value = read_value(fields[index].strip())
                except RowError as error:
                    self._reject(number, line, error, index if layout.more_values else None)
                    continue
                if value is None:
                    self.missing += 1
                    continue
                times.append(time_us)
                values.append(value)
                numbers.append(number)

    def _reject(self, number: int, line: str, error: RowError, column: int | None = None) -> None:
        where = "" if column is None else f"{self._layout.columns[column]}: "
        self.rejected.append(RejectedRow(number, error.reason, where + error.detail, line))

    def series(self) -> dict[SeriesKey, ParsedSeries]:
        """All samples as columns."""
        return {
            SeriesKey(index, name): ParsedSeries(
                Samples(np.frombuffer(times, np.int64), np.frombuffer(values, np.float64)),
                np.frombuffer(numbers, np.int64),
            )
            for name, targets in self._targets.items()
            for index, times, values, numbers in targets
            if times
        }

    def _new_targets(self) -> list[_Target]:
        return [(index, array("q"), array("d"), array("q")) for index in self._layout.value_indices]


def _object_in(field: str) -> str:
    name = field.strip()
    if not name:
        raise RowError(Reason.OBJECT, "nothing, expected the name of an object")
    return name

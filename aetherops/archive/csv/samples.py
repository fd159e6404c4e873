"""Samples from lines of CSV: whole blocks at once where they are regular, else row by row.

Both ways give the same samples. A block with anything out of the ordinary (a quote, a row
with too few fields, an empty value) goes row by row, so that each bad row is named by its
line and its reason, and the good ones around it are kept.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from aetherops.archive.csv.lines import is_comment, split_line
from aetherops.archive.csv.reasons import Reason, RowError
from aetherops.archive.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from aetherops.archive.csv.layout import Layout

__all__ = [
    "ParsedBlock",
    "ParsedSeries",
    "RejectedRow",
    "SampleParser",
    "SeriesKey",
    "parse_by_column",
    "parse_by_row",
]

_NEWLINE = ord("\n")
# A column of values, and the times, values and lines that rows gave for it.
_Target: TypeAlias = "tuple[int, array[int], array[float], array[int]]"


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that gave no sample, or none in one of its columns.

    Parameters
    ----------
    line : its line in the file, from 1.
    reason : the kind of defect.
    detail : what was found, and what was expected.
    text : the line itself.
    """

    line: int
    reason: Reason
    detail: str
    text: str


class SeriesKey(NamedTuple):
    """Which samples of a file belong together: those of a column of values and of an object."""

    column: int
    object: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ParsedSeries:
    """Samples that belong together, in the order of their rows, and the line of each."""

    samples: Samples
    lines: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ParsedBlock:
    """What some lines hold.

    Parameters
    ----------
    series : the samples, those of each column and object by themselves.
    rejected : rows that gave none.
    rows : rows read, good and bad.
    missing : values that stand for none.
    """

    series: Mapping[SeriesKey, ParsedSeries]
    rejected: tuple[RejectedRow, ...] = ()
    rows: int = 0
    missing: int = 0

    @property
    def samples(self) -> Samples:
        """The samples, where the file holds one series; of several the first."""
        return next((one.samples for one in self.series.values()), Samples.empty())


class SampleParser:
    """Reads the lines of one file, block after block; `line` is the number of the next one.

    Parameters
    ----------
    layout : how the file is written.
    """

    def __init__(self, layout: Layout) -> None:
        self.line = 1
        self._layout = layout
        self._header_pending = layout.has_header

    def parse(self, block: bytes) -> ParsedBlock:
        """The samples of the next lines of the file.

        Parameters
        ----------
        block : whole lines, UTF-8, each ended by a line feed, with or without carriage return.
        """
        block = block.replace(b"\r\n", b"\n")
        if self._header_pending:
            block = self._drop_header(block)
        first_line = self.line
        self.line += block.count(b"\n")
        parsed = parse_by_column(block, self._layout, first_line)
        return parse_by_row(block, self._layout, first_line) if parsed is None else parsed

    def _drop_header(self, block: bytes) -> bytes:
        """The block after its first line that is neither blank nor a comment."""
        while block and self._header_pending:
            line, _, block = block.partition(b"\n")
            self.line += 1
            text = line.decode("utf-8", errors="replace")
            self._header_pending = not text.strip() or is_comment(text)
        return block


def parse_by_column(block: bytes, layout: Layout, first_line: int = 1) -> ParsedBlock | None:
    """What a block holds in which every row is regular; ``None`` for any other block."""
    if not block or b'"' in block or b"\r" in block or not block.isascii():
        return None
    fields = _find_fields(block, layout)
    if fields is None:
        return None
    data, starts, ends = fields
    time = layout.time_index
    times = layout.times.read_column(data, starts[:, time], ends[:, time])
    if times is None:
        return None
    text = block.decode("ascii")

    def column(index: int) -> list[str]:
        spans = zip(starts[:, index].tolist(), ends[:, index].tolist(), strict=True)
        return [text[start:end] for start, end in spans]

    objects = None
    if layout.split_index is not None:
        objects = [name.strip() for name in column(layout.split_index)]
        if not all(objects):
            return None
    rows = _Rows(times, np.arange(first_line, first_line + len(times)), objects)
    missing = 0
    for index in layout.value_indices:
        read = layout.values.read_column(column(index))
        if read is None:
            return None
        values, none = read
        missing += 0 if none is None else int(none.sum())
        rows.add(index, values, none)
    return ParsedBlock(rows.series, (), len(times), missing)


class _Rows:
    """Rows of a block, told apart by object; columns of values become series of each.

    Parameters
    ----------
    times, lines : shape (n,), of each row.
    objects : of each row, ``None`` where the file holds one.
    """

    def __init__(
        self, times: NDArray[np.int64], lines: NDArray[np.int64], objects: list[str] | None
    ) -> None:
        self.series: dict[SeriesKey, ParsedSeries] = {}
        self._times = times
        self.lines = lines
        self._objects: list[tuple[str, NDArray[np.intp] | slice]] = [("", slice(None))]
        if objects is not None:
            codes: dict[str, int] = {}
            coded = np.array([codes.setdefault(name, len(codes)) for name in objects])
            order = np.argsort(coded, kind="stable")
            bounds = np.cumsum(np.bincount(coded))[:-1]
            self._objects = list(zip(codes, np.split(order, bounds), strict=True))

    def add(self, column: int, values: NDArray[np.float64], none: NDArray[np.bool_] | None) -> None:
        """Take the values of one more column; those that stand for none are left out."""
        for name, rows in self._objects:
            samples, lines = Samples(self._times[rows], values[rows]), self.lines[rows]
            if none is not None:
                kept = ~none[rows]
                samples, lines = samples[kept], lines[kept]
            if len(samples):
                self.series[SeriesKey(column, name)] = ParsedSeries(samples, lines)


def _find_fields(
    block: bytes, layout: Layout
) -> tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.intp]] | None:
    """Bytes, and where each field begins and ends: shape (rows, columns)."""
    data = np.frombuffer(block, np.uint8)
    is_newline = data == _NEWLINE
    marks = np.flatnonzero(is_newline | (data == ord(layout.delimiter)))
    width = len(layout.columns)
    if len(marks) % width or len(marks) != width * np.count_nonzero(is_newline):
        return None
    ends = marks.reshape(-1, width)
    if not is_newline[ends[:, -1]].all():
        return None
    starts = np.concatenate(([0], marks[:-1] + 1)).reshape(-1, width)
    return data, starts, ends


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
                fields = split_line(line, delimiter)
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

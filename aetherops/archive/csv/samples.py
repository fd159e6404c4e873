"""Samples from lines of CSV: whole blocks at once where they are regular, else row by row.

Both ways give the same samples. A block with anything out of the ordinary (a quote, a row
with too few fields, an empty value) goes row by row, so that each bad row is named by its
line and its reason, and the good ones around it are kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aetherops.archive.csv.layout import split_line
from aetherops.archive.csv.times import Reason, RowError, number_in
from aetherops.archive.samples import Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aetherops.archive.csv.layout import Layout

__all__ = ["ParsedBlock", "RejectedRow", "SampleParser", "parse_by_column", "parse_by_row"]

_NEWLINE = ord("\n")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that gave no sample.

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


@dataclass(frozen=True, slots=True, eq=False)
class ParsedBlock:
    """Samples of some lines, in their order, and the rows that gave none."""

    samples: Samples
    rejected: tuple[RejectedRow, ...] = ()

    @property
    def rows(self) -> int:
        """Rows read, good and bad."""
        return len(self.samples) + len(self.rejected)


class SampleParser:
    """Reads the lines of one file, block after block.

    Parameters
    ----------
    layout : how the file is written.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._line = 1
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
        first_line = self._line
        self._line += block.count(b"\n")
        samples = parse_by_column(block, self._layout)
        if samples is not None:
            return ParsedBlock(samples)
        return parse_by_row(block, self._layout, first_line)

    def _drop_header(self, block: bytes) -> bytes:
        """The block after its first line that is not blank."""
        while block and self._header_pending:
            line, _, block = block.partition(b"\n")
            self._line += 1
            self._header_pending = not line.strip()
        return block


def parse_by_column(block: bytes, layout: Layout) -> Samples | None:
    """Samples of a block in which every row is regular; ``None`` for any other block."""
    if not block or b'"' in block or b"\r" in block or not block.isascii():
        return None
    fields = _find_fields(block, layout)
    if fields is None:
        return None
    data, starts, ends = fields
    time, value = layout.time_index, layout.value_index
    times = layout.times.read_column(data, starts[:, time], ends[:, time])
    if times is None:
        return None
    values = _read_values(block, starts[:, value], ends[:, value])
    return None if values is None else Samples(times, values)


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


def _read_values(
    block: bytes, starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> NDArray[np.float64] | None:
    text = block.decode("ascii")
    spans = zip(starts.tolist(), ends.tolist(), strict=True)
    fields = [text[start:end] for start, end in spans]
    if "_" in "".join(fields):  # `float` takes 1_000, a number in Python only
        return None
    try:
        values = np.fromiter(map(float, fields), np.float64, len(fields))
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None


def parse_by_row(block: bytes, layout: Layout, first_line: int) -> ParsedBlock:
    """Samples of any block, and the rows that give none. Blank lines are no rows."""
    times: list[int] = []
    values: list[float] = []
    rejected: list[RejectedRow] = []
    lines = block.decode("utf-8", errors="replace").removesuffix("\n").split("\n")
    for number, line in enumerate(lines, first_line):
        if not line.strip():
            continue
        try:
            time_us, value = _read_row(line, layout)
        except RowError as error:
            rejected.append(RejectedRow(number, error.reason, error.detail, line))
        else:
            times.append(time_us)
            values.append(value)
    return ParsedBlock(Samples.of(times, values), tuple(rejected))


def _read_row(line: str, layout: Layout) -> tuple[int, float]:
    fields = split_line(line, layout.delimiter)
    if len(fields) != len(layout.columns):
        raise RowError(Reason.FIELDS, f"{len(fields)} fields, expected {len(layout.columns)}")
    time_us = layout.times.read(fields[layout.time_index].strip())
    return time_us, _read_value(fields[layout.value_index].strip())


def _read_value(text: str) -> float:
    if not text:
        raise RowError(Reason.EMPTY_VALUE, "no value")
    value = number_in(text)
    if value is None:
        raise RowError(Reason.VALUE, f"value {text!r}, expected a number")
    if not math.isfinite(value):
        raise RowError(Reason.NON_FINITE, f"value {text!r}, expected a finite number")
    return value

"""Whole blocks of CSV at once, where every row is regular; all others are declined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aetherops.archive.csv.parsed import ParsedBlock, ParsedSeries, SeriesKey
from aetherops.archive.samples import Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aetherops.archive.csv.layout import Layout

__all__ = ["parse_by_column"]

_NEWLINE = ord("\n")


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

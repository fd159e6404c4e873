"""Samples from lines of CSV: whole blocks at once where they are regular, else row by row.

Both ways give the same samples. A block with anything out of the ordinary (a quote, a row
with too few fields, an empty value) goes row by row, so that each bad row is named by its
line and its reason, and the good ones around it are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.archive.csv.by_column import parse_by_column
from aetherops.archive.csv.by_row import parse_by_row
from aetherops.archive.csv.lines import is_comment
from aetherops.archive.csv.parsed import ParsedBlock, ParsedSeries, RejectedRow, SeriesKey

if TYPE_CHECKING:
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

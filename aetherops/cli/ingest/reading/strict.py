"""``--strict``: a file in which two rows of a stream share an instant is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.archive.csv.reasons import RowError
from aetherops.archive.csv.samples import SampleParser
from aetherops.cli.ingest.reading.csv_file import open_csv
from aetherops.cli.ingest.reading.repeats import Repeats
from aetherops.errors import InvalidInputError
from aetherops.instants import to_iso

if TYPE_CHECKING:
    from aetherops.cli.ingest.targets import Targets

__all__ = ["check_once_an_instant", "check_repeats"]


def check_repeats(name: str, repeats: Repeats) -> None:
    """Refuse the first row that repeats an instant."""
    if repeats.first:
        line, time_us = repeats.first[0]
        expected = "one row of a stream at an instant (--split-by tells objects apart)"
        raise InvalidInputError(f"{name}:{line}", f"a second one at {to_iso(time_us)}", expected)


def check_once_an_instant(path: str, targets: Targets) -> None:
    """Read a whole file before any of it is sent, and refuse repeated instants.

    Raises
    ------
    InvalidInputError
        Two of its rows are of the same stream and instant.
    """
    parser, repeats = SampleParser(targets.layout), Repeats()
    with open_csv(path) as file:
        for block in file.blocks():
            for key, series in parser.parse(block).series.items():
                try:
                    stream = targets.stream_of(key)
                except RowError:  # no stream takes it
                    continue
                repeats.add(stream.name, series)
            check_repeats(file.name, repeats)

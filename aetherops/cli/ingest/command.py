"""``aetherops ingest``: a CSV file into one stream."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.archive.csv.layout import Layout, Wanted, detect_layout
from aetherops.archive.csv.samples import SampleParser
from aetherops.archive.csv.times import Reason
from aetherops.cli.client import Client
from aetherops.cli.ingest.csv_file import CsvFile, open_csv
from aetherops.cli.ingest.progress import shown_progress
from aetherops.cli.ingest.rejects import Rejects, open_rejects
from aetherops.cli.ingest.upload import Upload
from aetherops.cli.outcome import ExitStatus
from aetherops.errors import InvalidInputError
from aetherops.instants import to_iso

if TYPE_CHECKING:
    from pathlib import Path

    from aetherops.archive.samples import Samples
    from aetherops.archive.stream import Stream
    from aetherops.cli.connection import Connection
    from aetherops.cli.ingest.progress import ProgressReport
    from aetherops.cli.ingest.receipts import Stored

__all__ = ["IngestReport", "ingest_file", "rejection_lines"]

_OPTIONS = {"time column": "--time-column", "value column": "--value-column"}


@dataclass(slots=True)
class IngestReport:
    """What an ingest did.

    Parameters
    ----------
    name : of the file.
    stream : where its samples went.
    layout : how the file is written.
    rejects : rows that gave no sample.
    rows : rows read, good and bad.
    stored : what became of the good ones.
    first_us, last_us : earliest and latest instant.
    elapsed_s : until everything was stored.
    """

    name: str
    stream: Stream
    layout: Layout
    rejects: Rejects
    rows: int = 0
    stored: Stored | None = None
    first_us: int | None = None
    last_us: int | None = None
    elapsed_s: float = 0.0

    @property
    def status(self) -> ExitStatus:
        """Whether all, some or none of the rows were of use."""
        if self.rejects.count == 0:
            return ExitStatus.DONE
        return ExitStatus.SOME_REJECTED if self.rejects.count < self.rows else ExitStatus.BAD_INPUT

    def count(self, samples: Samples) -> None:
        """Widen the span of time by some samples."""
        if len(samples):
            first, last = int(samples.times_us.min()), int(samples.times_us.max())
            self.first_us = first if self.first_us is None else min(first, self.first_us)
            self.last_us = last if self.last_us is None else max(last, self.last_us)

    def __str__(self) -> str:
        layout, stored = self.layout, self.stored
        lines = [
            f"{self.name} into {self.stream.name}",
            f"  columns     {layout.time_column} ({layout.times}), {layout.value_column}",
        ]
        if self.first_us is not None and self.last_us is not None:
            lines.append(f"  time        {to_iso(self.first_us)} to {to_iso(self.last_us)}")
        lines.append(f"  rows read   {self.rows:,}")
        if stored is not None:
            lines.append(f"  stored      {stored.stored:,}")
            lines.append(f"  duplicates  {stored.duplicates:,}")
            lines.append(f"  corrected   {stored.corrected:,}")
        lines.append(f"  rejected    {self.rejects.count:,}")
        lines += [f"    {n:,} × {reason}" for reason, n in self.rejects.by_reason.most_common()]
        if self.elapsed_s > 0:
            rate = self.rows / self.elapsed_s
            lines.append(f"  took        {self.elapsed_s:.2f} s, {rate:,.0f} rows/s")
        return "\n".join(lines)


def ingest_file(
    path: str, stream: Stream, wanted: Wanted, rejects: Path | None, connection: Connection
) -> IngestReport:
    """Send the samples of a CSV file and wait until they are stored.

    Raises
    ------
    InvalidInputError
        The file cannot be read, or it is not clear which columns are meant.
    UnreachableError, ServerRefusedError
        The server does not answer, or wants none of it. What was sent stays.
    """
    with open_csv(path) as file:
        layout = _layout_of(file, wanted)
        with open_rejects(rejects) as rejected, shown_progress(file.name, file.size) as progress:
            report = IngestReport(file.name, stream, layout, rejected)
            asyncio.run(_ingest(file, report, connection, progress))
            return report


def _layout_of(file: CsvFile, wanted: Wanted) -> Layout:
    try:
        return detect_layout(file.first_lines, wanted)
    except InvalidInputError as error:
        option = _OPTIONS.get(error.field)
        field = f"{error.field} ({option})" if option else error.field
        raise InvalidInputError(f"{file.name}: {field}", error.value, error.expected) from error


async def _ingest(
    file: CsvFile, report: IngestReport, connection: Connection, progress: ProgressReport
) -> None:
    began_s = time.monotonic()
    parser = SampleParser(report.layout)
    blocks = file.blocks()
    async with Client(connection) as client:
        await client.receipts(())  # a wrong address or token shows before the first batch
        async with Upload(client, report.stream, progress.stored) as upload:
            while block := await asyncio.to_thread(next, blocks, None):
                parsed = await asyncio.to_thread(parser.parse, block)
                report.rows += parsed.rows
                report.rejects.add(parsed.rejected)
                report.count(parsed.samples)
                progress.read(file.bytes_read, report.rows)
                await upload.add(parsed.samples)
            report.stored = await upload.finish()
    report.elapsed_s = time.monotonic() - began_s


def rejection_lines(report: IngestReport) -> list[str]:
    """The first rejected rows, a line each, and what helps against the usual one."""
    lines = [f"{report.name}:{r.line}: {r.reason}: {r.detail}" for r in report.rejects.first]
    if report.rejects.count > len(lines):
        lines.append(f"… and {report.rejects.count - len(lines):,} more")
    if Reason.NAIVE_TIME in report.rejects.by_reason:
        lines.append("give the zone of times without offset with --timezone, such as UTC")
    return lines

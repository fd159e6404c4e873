"""``aetherops ingest``: a CSV file into streams."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.archive.csv.layout import Layout, LayoutOptions, detect_layout
from aetherops.archive.csv.reasons import RowError
from aetherops.archive.csv.samples import RejectedRow, SampleParser
from aetherops.cli.client import Client
from aetherops.cli.ingest.reading.csv_file import CsvFile, open_csv
from aetherops.cli.ingest.reading.rejects import open_rejects
from aetherops.cli.ingest.reading.strict import check_once_an_instant, check_repeats
from aetherops.cli.ingest.report import IngestReport, warning_lines
from aetherops.cli.ingest.sending.interrupts import ending_in_order
from aetherops.cli.ingest.sending.progress import shown_progress
from aetherops.cli.ingest.sending.upload import Upload
from aetherops.cli.ingest.targets import Targets
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aetherops.archive.csv.samples import ParsedBlock, ParsedSeries
    from aetherops.archive.stream import Stream
    from aetherops.cli.connection import Connection
    from aetherops.cli.ingest.sending.progress import ProgressReport
    from aetherops.cli.ingest.targets import TargetsByColumn

__all__ = ["IngestReport", "Job", "ingest_file", "warning_lines"]

_OPTIONS = {
    "time column": "--time-column",
    "value column": "--value-column, --map, --all-columns",
    "split column": "--split-by",
    "decimal comma": "--decimal-comma",
}


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be ingested, and how.

    Parameters
    ----------
    path : of the file, ``-`` for standard input.
    targets : where its columns go.
    wanted : what is known of its layout.
    rejects : a file for the rows that give no sample.
    strict : refuse a file in which rows of a stream share an instant.
    """

    path: str
    targets: TargetsByColumn
    wanted: LayoutOptions
    rejects: Path | None = None
    strict: bool = False


def ingest_file(job: Job, connection: Connection) -> IngestReport:
    """Send the samples of a CSV file and wait until they are stored.

    Raises
    ------
    InvalidInputError
        The file cannot be read, or it is not clear which columns are meant.
    UnreachableError, ServerRefusedError
        The server does not answer, or wants none of it. What was sent stays.
    """
    with open_csv(job.path) as file:
        layout = _layout_of(file, job.wanted)
        targets = Targets.of(layout, job.targets)
        if job.strict and file.size is not None:
            check_once_an_instant(job.path, targets)
        with (
            open_rejects(job.rejects) as rejects,
            shown_progress(file.name, file.size) as progress,
        ):
            report = IngestReport(file.name, targets, rejects)
            asyncio.run(_Ingest(file, report, progress, job.strict).run(connection))
            return report


def _layout_of(file: CsvFile, wanted: LayoutOptions) -> Layout:
    while True:
        try:
            return detect_layout(file.first_lines, wanted)
        except InvalidInputError as error:
            if file.extend_head():
                continue
            option = _OPTIONS.get(error.field)
            field = f"{error.field} ({option})" if option else error.field
            raise InvalidInputError(f"{file.name}: {field}", error.value, error.expected) from error


class _Ingest:
    """Reads, parses and sends a file; Ctrl-C ends the reading, a second one everything."""

    def __init__(
        self, file: CsvFile, report: IngestReport, progress: ProgressReport, strict: bool
    ) -> None:
        self._file = file
        self._report = report
        self._progress = progress
        self._strict = strict
        self._parser = SampleParser(report.targets.layout)

    async def run(self, connection: Connection) -> None:
        """Send the file, and complete the report."""
        began_s = time.monotonic()
        report = self._report
        try:
            with ending_in_order(self._stop):
                async with Client(connection) as client:
                    await client.receipts(())  # a wrong address or token shows at once
                    async with Upload(client, report=self._progress.stored) as upload:
                        await self._send(upload)
                        report.stored = await upload.finish()
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        report.elapsed_s = time.monotonic() - began_s

    def _stop(self) -> None:
        if not self._report.interrupted:
            told = "interrupted: sending what was read; Ctrl-C again ends at once"
            print(f"aetherops: {told}", file=sys.stderr)  # noqa: T201
        self._report.interrupted = True
        self._file.stop()

    async def _send(self, upload: Upload) -> None:
        blocks = self._file.blocks()
        while block := await asyncio.to_thread(next, blocks, None):
            line = self._parser.line
            parsed = await asyncio.to_thread(self._parser.parse, block)
            for stream, series in self._sorted_out(parsed, block, line):
                self._report.count(stream, series)
                if self._strict:
                    check_repeats(self._file.name, self._report.repeats)
                await upload.add(series.samples, stream)
            self._progress.read(self._file.bytes_read, self._report.rows)
            if self._file.waits:
                await upload.flush()
            if self._report.interrupted:
                break

    def _sorted_out(
        self, parsed: ParsedBlock, block: bytes, line: int
    ) -> Iterator[tuple[Stream, ParsedSeries]]:
        """The streams of a block; what it holds beside them goes into the report.

        Parameters
        ----------
        line : number of the block's first line.
        """
        report = self._report
        report.rows += parsed.rows
        report.missing += parsed.missing
        report.rejects.add(parsed.rejected)
        for key, series in parsed.series.items():
            try:
                yield report.targets.stream_of(key), series
            except RowError as error:
                lines = block.split(b"\n")
                report.rejects.add(
                    [
                        RejectedRow(n, error.reason, error.detail, _text(lines[n - line]))
                        for n in series.lines.tolist()
                    ]
                )


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").rstrip("\r")

"""What an ingest did, in words and as an exit status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aetherops.archive.csv.reasons import Reason
from aetherops.cli.ingest.reading.repeats import Repeats
from aetherops.cli.outcome import ExitStatus
from aetherops.instants import to_iso

if TYPE_CHECKING:
    from aetherops.archive.csv.samples import ParsedSeries
    from aetherops.archive.stream import Stream
    from aetherops.cli.ingest.reading.rejects import Rejects
    from aetherops.cli.ingest.sending.receipts import Stored
    from aetherops.cli.ingest.targets import Targets

__all__ = ["IngestReport", "warning_lines"]

_SHOWN_STREAMS = 4


@dataclass(slots=True)
class IngestReport:
    """What an ingest did.

    Parameters
    ----------
    name : of the file.
    targets : where its samples went.
    rejects : rows that gave no sample.
    rows : rows read, good and bad.
    samples : what they gave.
    missing : values that stand for none.
    repeats : rows at an instant that an earlier row of their stream has.
    stored : what became of the samples.
    first_us, last_us : earliest and latest instant.
    elapsed_s : until everything was stored.
    interrupted : whether Ctrl-C ended the reading.
    """

    name: str
    targets: Targets
    rejects: Rejects
    rows: int = 0
    samples: int = 0
    missing: int = 0
    repeats: Repeats = field(default_factory=Repeats)
    stored: Stored | None = None
    first_us: int | None = None
    last_us: int | None = None
    elapsed_s: float = 0.0
    interrupted: bool = False

    @property
    def status(self) -> ExitStatus:
        """Whether all, some or none of the rows were of use."""
        if self.interrupted:
            return ExitStatus.INTERRUPTED
        refused = self.stored.refused if self.stored else 0
        if self.rejects.count == 0 and not refused:
            return ExitStatus.DONE
        if refused and refused == self.samples:
            return ExitStatus.BAD_INPUT
        return ExitStatus.SOME_REJECTED if self.samples or self.missing else ExitStatus.BAD_INPUT

    def count(self, stream: Stream, series: ParsedSeries) -> None:
        """Take note of samples that go into a stream."""
        times = series.samples.times_us
        self.samples += len(times)
        self.repeats.add(stream.name, series)
        first, last = int(times.min()), int(times.max())
        self.first_us = first if self.first_us is None else min(first, self.first_us)
        self.last_us = last if self.last_us is None else max(last, self.last_us)

    def __str__(self) -> str:
        lines = [f"{self.name} into {self._streams()}", f"  columns     {self.targets.layout}"]
        if self.first_us is not None and self.last_us is not None:
            lines.append(f"  time        {to_iso(self.first_us)} to {to_iso(self.last_us)}")
        lines.append(f"  rows read   {self.rows:,}")
        if self.stored is not None:
            lines.append(f"  stored      {self.stored.stored:,}")
            lines.append(f"  duplicates  {self.stored.duplicates:,}")
            lines.append(f"  corrected   {self.stored.corrected:,}")
            if self.stored.refused:
                lines.append(f"  refused     {self.stored.refused:,}")
        if self.repeats.count:
            lines.append(f"  repeated    {self.repeats.count:,}")
        if self.missing:
            lines.append(f"  missing     {self.missing:,}")
        lines.append(f"  rejected    {self.rejects.count:,}")
        lines += [f"    {n:,} × {reason}" for reason, n in self.rejects.by_reason.most_common()]
        if self.elapsed_s > 0:
            rate = self.rows / self.elapsed_s
            lines.append(f"  took        {self.elapsed_s:.2f} s, {rate:,.0f} rows/s")
        return "\n".join(lines)

    def _streams(self) -> str:
        names = [str(stream.name) for stream in self.targets.streams]
        if not names:
            names = [target.template for target in self.targets.by_column.values()]
        more = len(names) - _SHOWN_STREAMS
        return ", ".join(names[:_SHOWN_STREAMS]) + (f" and {more:,} more" if more > 0 else "")


def warning_lines(report: IngestReport) -> list[str]:
    """The first rejected and repeated rows, a line each, and what helps against the usual ones."""
    lines = [f"{report.name}:{r.line}: {r.reason}: {r.detail}" for r in report.rejects.first]
    if report.rejects.count > len(lines):
        lines.append(f"… and {report.rejects.count - len(lines):,} more")
    if Reason.NAIVE_TIME in report.rejects.by_reason:
        lines.append("give the zone of times without offset with --timezone, such as UTC")
    if Reason.OTHER_UNIT in report.rejects.by_reason:
        lines.append("give the unit of numeric times with --epoch-unit, if all have the same")
    if report.stored is not None and report.stored.refused:
        lines += report.stored.reasons[:_SHOWN_STREAMS]
        count = report.stored.refused
        lines.append(f"samples set aside for that: {count:,}; see `aetherops rejected list`")
    lines += [
        f"{report.name}:{repeat.line}: a second row at {to_iso(repeat.time_us)}"
        for repeat in report.repeats.first
    ]
    if report.repeats.count:
        lines.append(
            f"{report.repeats.count:,} rows repeat an instant of an earlier row, whose value they "
            "replace: --split-by tells objects apart, --strict refuses such a file"
        )
    return lines

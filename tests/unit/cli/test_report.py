"""What an ingest says at its end of samples that were set aside."""

from __future__ import annotations

from uuid import uuid4

import pytest

from aetherops.archive.csv.layout import LayoutOptions, detect_layout
from aetherops.archive.store import Receipt
from aetherops.cli.ingest.reading.rejects import Rejects
from aetherops.cli.ingest.report import IngestReport, warning_lines
from aetherops.cli.ingest.sending.receipts import Stored
from aetherops.cli.ingest.targets import ColumnTarget, Targets
from aetherops.cli.outcome import ExitStatus

REASON = "a/b/c has the unit 'kPa', got 'psi': leave it out"


def report_of(*refused: str | None) -> IngestReport:
    """Of a file that went in batches of ten samples, some of which were refused."""
    stored = Stored()
    for reason in refused:
        stored.add(Receipt(uuid4(), 0 if reason else 10, 0, 0, reason), 10)
    layout = detect_layout(["time,value", "2026-01-31T12:00:00Z,1"], LayoutOptions())
    targets = Targets.of(layout, {None: ColumnTarget("a/b/c", "psi", "")})
    samples = 10 * len(refused)
    return IngestReport("f.csv", targets, Rejects(), rows=samples, samples=samples, stored=stored)


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        ((None, None), ExitStatus.DONE),
        ((None, REASON, REASON), ExitStatus.SOME_REJECTED),
        ((REASON, REASON), ExitStatus.BAD_INPUT),
    ],
)
def test_the_status_tells_all_some_and_none(
    refused: tuple[str | None, ...], status: ExitStatus
) -> None:
    assert report_of(*refused).status == status


def test_the_reason_is_told_once_with_the_number_of_samples() -> None:
    report = report_of(None, REASON, REASON)

    assert warning_lines(report) == [
        REASON,
        "samples set aside for that: 20; see `aetherops rejected list`",
    ]
    assert "\n  refused     20\n" in str(report)


def test_nothing_is_said_where_nothing_was_refused() -> None:
    report = report_of(None)

    assert warning_lines(report) == []
    assert "refused" not in str(report)

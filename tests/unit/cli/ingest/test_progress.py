"""Progress: a bar for people, silence for programs."""

from __future__ import annotations

import io
import sys

import pytest

from aetherops.cli.ingest.sending.progress import shown_progress
from aetherops.cli.ingest.sending.receipts import Stored


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def advance(size: int | None) -> None:
    with shown_progress("readings.csv", size) as progress:
        progress.read(500, 20)
        progress.stored(Stored(10, 2, 1))
        progress.read(1_000, 1_040)


@pytest.mark.parametrize("size", [1_000, None])
def test_a_terminal_shows_rows_and_what_is_stored(
    monkeypatch: pytest.MonkeyPatch, size: int | None
) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", terminal)
    advance(size)
    assert "readings.csv" in terminal.getvalue()
    assert "1,040 rows" in terminal.getvalue()
    assert "13 stored" in terminal.getvalue()


def test_elsewhere_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    advance(1_000)
    assert stream.getvalue() == ""

"""A progress bar on a terminal, and silence anywhere else."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from aetherops.cli.ingest.sending.receipts import Stored

__all__ = ["ProgressReport", "shown_progress"]


class ProgressReport(Protocol):
    """Is told how far an ingest has come."""

    def read(self, bytes_read: int, rows: int) -> None:
        """So much of the file was read."""
        ...

    def stored(self, stored: Stored) -> None:
        """So many samples are stored."""
        ...


class _Silence:
    def read(self, bytes_read: int, rows: int) -> None:
        """Nothing to show."""

    def stored(self, stored: Stored) -> None:
        """Nothing to show."""


class _Bar:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def read(self, bytes_read: int, rows: int) -> None:
        """Advance the bar; rows a second count from its start."""
        elapsed_s = self._progress.tasks[0].elapsed or 0.0
        rate = f"{rows / elapsed_s:,.0f}" if elapsed_s > 0 else "–"
        self._progress.update(self._task, completed=bytes_read, rows=f"{rows:,}", rate=rate)

    def stored(self, stored: Stored) -> None:
        """Show the samples that are stored."""
        self._progress.update(self._task, stored=f"{stored.total:,}")


@contextmanager
def shown_progress(name: str, size: int | None) -> Iterator[ProgressReport]:
    """A bar on standard error while the block runs, if that is a terminal.

    Parameters
    ----------
    name : of the file.
    size : its bytes; ``None``, where unknown, shows no end.
    """
    if not sys.stderr.isatty():
        yield _Silence()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[rows]} rows, {task.fields[rate]}/s"),
        TextColumn("{task.fields[stored]} stored"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=size, rows="0", rate="–", stored="0")
        yield _Bar(progress, task)

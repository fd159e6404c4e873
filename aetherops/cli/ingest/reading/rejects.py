"""Rejected rows: counted by reason, the first few kept to show, all written to a file."""

from __future__ import annotations

import csv
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from aetherops.archive.csv.samples import RejectedRow
    from aetherops.archive.csv.times.texts import Reason

__all__ = ["Rejects", "open_rejects"]

_SHOWN = 5


class Rejects:
    """The rejected rows of one file.

    Parameters
    ----------
    file : where each is written, as CSV: line, reason, detail, and the row itself.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self.by_reason: Counter[Reason] = Counter()
        self.first: list[RejectedRow] = []
        self._writer = csv.writer(file) if file is not None else None
        if self._writer is not None:
            self._writer.writerow(("line", "reason", "detail", "row"))

    @property
    def count(self) -> int:
        """How many there are."""
        return self.by_reason.total()

    def add(self, rows: Sequence[RejectedRow]) -> None:
        """Take note of more rows."""
        self.by_reason.update(row.reason for row in rows)
        self.first += rows[: _SHOWN - len(self.first)]
        if self._writer is not None:
            self._writer.writerows((row.line, row.reason, row.detail, row.text) for row in rows)


@contextmanager
def open_rejects(path: Path | None) -> Iterator[Rejects]:
    """Rejected rows, written to a file where one is named; an older one is replaced."""
    if path is None:
        yield Rejects()
        return
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        expected = f"a file that can be written ({error.strerror})"
        raise InvalidInputError("--rejects", str(path), expected) from error
    with file:
        yield Rejects(file)

"""Who is told of samples the moment they are stored: live answers, rollups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.archive.store import AcceptedBatch

__all__ = ["Announcer", "NobodyListens"]


class Announcer(Protocol):
    """Is told of batches that have just been committed.

    An announcement wakes whoever waits for new samples; what counts is the archive. A batch that
    is written again after a worker died is announced again, and one whose worker died between
    commit and announcement is not.
    """

    def announce(self, stored: Sequence[AcceptedBatch]) -> None:
        """Tell of the batches of one transaction; returns at once and raises nothing."""
        ...


class NobodyListens:
    """An `Announcer` without listeners."""

    def announce(self, stored: Sequence[AcceptedBatch]) -> None:
        """Nobody is told."""

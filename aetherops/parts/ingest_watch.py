"""The watch of ingest: reads the queue regularly for metrics and readiness."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from aetherops.errors import UnavailableError
from aetherops.runtime.part import Part

if TYPE_CHECKING:
    from aetherops.archive.intake import QueueCondition
    from aetherops.services.ingest_condition import IngestCondition

__all__ = ["IngestWatch", "ReadsCondition"]

_PERIOD_S = 2.0


class ReadsCondition(Protocol):
    """A queue that says how it fares."""

    async def condition(self) -> QueueCondition:
        """What waits and what was set aside; raises `UnavailableError`."""
        ...


class IngestWatch(Part):
    """Keeps the condition of ingest true; a reading that fails leaves the one before.

    Parameters
    ----------
    queue : what is read.
    condition : where it is written.
    period_s : time between readings.
    """

    runs_again = True

    def __init__(
        self, queue: ReadsCondition, condition: IngestCondition, period_s: float = _PERIOD_S
    ) -> None:
        super().__init__()
        self._queue = queue
        self._condition = condition
        self._period_s = period_s

    async def run(self) -> None:
        """Watch until `stop`."""
        while not self.stopping:
            with suppress(UnavailableError):
                self._condition.queue = await self._queue.condition()
            await self.pause(self._period_s)

"""The demonstration feed as a part of an instance: real orbits, a day back and then live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.demo.constellation import BLOCK_SAMPLES, Constellation
from aetherops.errors import UnavailableError
from aetherops.runtime.part import Part

if TYPE_CHECKING:
    from collections.abc import Callable

    from aetherops.archive.intake import BatchQueue
    from aetherops.archive.samples import SampleBatch

__all__ = ["DemoFeed"]

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US


class DemoFeed(Part):
    """Puts the fleet's telemetry of the last day into the intake, then goes on live.

    Parameters
    ----------
    intake : where batches go; one that is unavailable is asked again.
    now_us : the clock, microseconds since 1970.
    constellation : the fleet; six real satellites by default.
    history_us : how far back to begin.
    step_us : time between samples.
    live_period_s : time between batches, once the past is sent.
    """

    runs_again = True

    def __init__(
        self,
        intake: BatchQueue,
        now_us: Callable[[], int],
        *,
        constellation: Constellation | None = None,
        history_us: int = _DAY_US,
        step_us: int = _SECOND_US,
        live_period_s: float = 5.0,
    ) -> None:
        super().__init__()
        self._intake = intake
        self._now_us = now_us
        self._constellation = constellation
        self._history_us = history_us
        self._step_us = step_us
        self._live_period_s = live_period_s

    async def run(self) -> None:
        """Feed until `stop`; the batch in hand is finished."""
        fleet = self._constellation or Constellation.default()
        block_us = BLOCK_SAMPLES * self._step_us
        # From the beginning of a block: a feed that starts again repeats its batches exactly.
        start_us = (self._now_us() - self._history_us) // block_us * block_us
        while not self.stopping:
            end_us = self._now_us() // self._step_us * self._step_us
            for batch in fleet.batches(start_us, end_us, self._step_us):
                if not await self._put(batch):
                    return
            start_us = max(start_us, end_us)
            await self.pause(self._live_period_s)

    async def _put(self, batch: SampleBatch) -> bool:
        """Whether it was taken before this part was to stop."""
        while not self.stopping:
            try:
                await self._intake.put(batch)
            except UnavailableError as error:
                await self.pause(error.retry_after_s)
            else:
                return True
        return False

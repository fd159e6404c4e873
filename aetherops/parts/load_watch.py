"""Limits that follow the load: the ingest backlog is read, and admission is scaled to it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import structlog

from aetherops.errors import UnavailableError
from aetherops.queue import queue_health
from aetherops.ratelimit.load.controller import LoadReading
from aetherops.runtime.part import Part

if TYPE_CHECKING:
    from collections.abc import Callable

    from aetherops.archive.intake import Backlog
    from aetherops.ratelimit.load.adaptive import AdaptiveLimits
    from aetherops.ratelimit.load.controller import FactorChange

__all__ = ["LoadWatch", "ReadsBacklog"]

_log = structlog.get_logger(__name__)


class ReadsBacklog(Protocol):
    """A queue that says how full it is."""

    async def backlog(self) -> Backlog:
        """What waits to be stored; raises `UnavailableError`."""
        ...


class LoadWatch(Part):
    """A part of an instance that reads the backlog regularly and scales limits to it.

    A reading that fails changes nothing: limits hold where they are.

    Parameters
    ----------
    queue : whose backlog is the load.
    limits : scaled as the controller decides.
    tell_factor : told the factor in force after each change.
    period_s : time between readings.
    clock_us : a monotonic clock in microseconds.
    """

    runs_again = True

    def __init__(
        self,
        queue: ReadsBacklog,
        limits: AdaptiveLimits,
        tell_factor: Callable[[float], object],
        *,
        period_s: float = 1.0,
        clock_us: Callable[[], int] = lambda: time.monotonic_ns() // 1_000,
    ) -> None:
        super().__init__()
        self._queue = queue
        self._limits = limits
        self._tell_factor = tell_factor
        self._period_s = period_s
        self._clock_us = clock_us
        self._before: tuple[int, Backlog] | None = None
        limits.subscribe(self._hear)

    async def run(self) -> None:
        """Watch until `stop`; limits then stay as they are."""
        while not self.stopping:
            with suppress(UnavailableError):
                self.observe(await self._queue.backlog())
            await self.pause(self._period_s)

    def observe(self, backlog: Backlog) -> None:
        """Take one reading in."""
        now_us = self._clock_us()
        health = queue_health(backlog.bytes, backlog.limit_bytes or 2**63, 0.0)
        reading = LoadReading.of(dict(health), now_us, self._drained_per_s(now_us, backlog))
        self._before = (now_us, backlog)
        self._limits.observe(reading, now_us)

    def _drained_per_s(self, now_us: int, backlog: Backlog) -> float | None:
        """Bytes that left the queue since the reading before, by the mean size of a batch."""
        if self._before is None or not backlog.batches or now_us == self._before[0]:
            return None
        before_us, before = self._before
        drained = (backlog.taken - backlog.batches) - (before.taken - before.batches)
        batch_bytes = backlog.bytes / backlog.batches
        return max(drained, 0) * batch_bytes / ((now_us - before_us) / 1e6)

    def _hear(self, change: FactorChange) -> None:
        self._tell_factor(change.after_permille / 1000)
        _log.warning(
            "limits_scaled",
            factor=change.after_permille / 1000,
            before=change.before_permille / 1000,
            utilization=change.utilization,
            reason=change.reason,
        )

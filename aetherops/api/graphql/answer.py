"""The answer about one stream and range: each part computed when it is asked for, once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from aetherops.archive import reductions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aetherops.api.graphql.engine.budget import QueryBudget
    from aetherops.archive.samples import Samples
    from aetherops.archive.store import StreamRecord, TelemetryStore

__all__ = ["TelemetryAnswer", "TimeWindow"]

# Above this many samples the work would hold up the event loop noticeably (a millisecond).
_INLINE_SAMPLES = 50_000
# A median sorts each bucket by itself.
_MEDIAN_COST = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Instants from `start_us` up to, and without, `end_us`."""

    start_us: int
    end_us: int


class TelemetryAnswer:
    """Columns, statistics and anomalies of one stream's samples in a window.

    The samples are read from the store at most once, however many fields ask for them, and
    not at all where none does. The range is counted, and charged to the budget, before.
    """

    def __init__(
        self,
        record: StreamRecord,
        window: TimeWindow,
        downsample: reductions.Downsample | None,
        store: TelemetryStore,
        budget: QueryBudget,
    ) -> None:
        self.record = record
        self.downsample = downsample
        self._window = window
        self._store = store
        self._budget = budget
        self.samples = _Shared(self._read)
        self.points = _Shared(self._make_points)
        self.summary = _Shared(self._summarise)

    async def percentiles(self, ranks: Sequence[float]) -> list[float]:
        """Values at the ranks, in per cent."""
        samples = await self.samples()
        return await _compute(lambda: reductions.percentiles(samples, ranks), len(samples))

    async def anomalies(self, threshold: float, limit: int) -> reductions.Anomalies:
        """The first `limit` samples further than `threshold` deviations from the mean."""
        samples = await self.samples()
        return await _compute(lambda: reductions.anomalies(samples, threshold, limit), len(samples))

    async def _read(self) -> Samples:
        name = self.record.stream.name
        start_us, end_us = self._window.start_us, self._window.end_us
        await self._budget.take_samples(await self._store.count(name, start_us, end_us))
        return await self._store.read(name, start_us, end_us)

    async def _make_points(self) -> reductions.Points:
        start_us, end_us = self._window.start_us, self._window.end_us
        if self.downsample is not None:
            self._budget.take_points(self.downsample.count(start_us, end_us))
        samples = await self.samples()
        if self.downsample is None:
            self._budget.take_points(len(samples))
        return await _compute(
            lambda: reductions.points(samples, start_us, end_us, self.downsample),
            self._cost(samples),
        )

    def _cost(self, samples: Samples) -> int:
        median = self.downsample is not None and self.downsample.function == "median"
        return len(samples) * (_MEDIAN_COST if median else 1)

    async def _summarise(self) -> reductions.Statistics:
        samples = await self.samples()
        return await _compute(lambda: reductions.statistics(samples), len(samples))


class _Shared(Generic[T]):
    """Work that is done when first awaited; whoever awaits gets its one outcome."""

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._task: asyncio.Future[T] | None = None

    async def __call__(self) -> T:
        if self._task is None:
            self._task = asyncio.ensure_future(self._work())
        return await self._task


async def _compute(work: Callable[[], T], cost: int) -> T:
    """Do work on arrays: at once where it is short, in a thread where it is not."""
    return work() if cost <= _INLINE_SAMPLES else await asyncio.to_thread(work)

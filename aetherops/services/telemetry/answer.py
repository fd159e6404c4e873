"""The answer about one stream and range: each part computed when it is asked for, once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from aetherops.archive import reductions
from aetherops.services.telemetry.once import Once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aetherops.archive.samples import Samples
    from aetherops.archive.store import StreamRecord, TelemetryStore
    from aetherops.services.telemetry.budget import QueryBudget
    from aetherops.services.telemetry.question import TelemetryQuestion

__all__ = ["TelemetryAnswer"]

# Above this many samples the work would hold up the event loop noticeably (a millisecond).
_INLINE_SAMPLES = 50_000
# A median sorts each bucket by itself.
_MEDIAN_COST = 100

T = TypeVar("T")


class TelemetryAnswer:
    """Points, statistics and anomalies of one stream's samples in a window.

    The samples are read from the store at most once, however many parts ask for them, and not
    at all where none does. The range is counted, and charged to the budget, before.

    Parameters
    ----------
    record : the stream that is asked about.
    """

    def __init__(
        self,
        record: StreamRecord,
        question: TelemetryQuestion,
        store: TelemetryStore,
        budget: QueryBudget,
    ) -> None:
        self.record = record
        self._question = question
        self._store = store
        self._budget = budget
        self._samples: Once[Samples] = Once()
        self._points: Once[reductions.Points] = Once()
        self._statistics: Once[reductions.Statistics] = Once()
        self._extremes: Once[reductions.Extremes] = Once()

    @property
    def resolution_us(self) -> int | None:
        """Width of a bucket; ``None`` where points are samples."""
        downsample = self._question.downsample
        return None if downsample is None else downsample.width_us

    async def count(self) -> int:
        """Samples in the window."""
        if self._question.extremes_only:
            return (await self.extremes()).count
        return len(await self.samples())

    async def samples(self) -> Samples:
        """All samples in the window."""
        return await self._samples.get(self._read)

    async def points(self) -> reductions.Points:
        """What a plot shows: samples, or buckets of them where that was asked."""
        return await self._points.get(self._make_points)

    async def extremes(self) -> reductions.Extremes:
        """Count, least, greatest, first and last value."""
        if self._question.extremes_only:
            return await self._extremes.get(self._read_extremes)
        return await self.statistics()

    async def statistics(self) -> reductions.Statistics:
        """The extremes, mean and variance of all samples."""
        return await self._statistics.get(self._make_statistics)

    async def percentiles(self, ranks: Sequence[float]) -> list[float]:
        """Values at the ranks, in per cent."""
        samples = await self.samples()
        return await _compute(lambda: reductions.percentiles(samples, ranks), len(samples))

    async def anomalies(self, threshold: float, limit: int) -> reductions.Anomalies:
        """The first `limit` samples further than `threshold` deviations from the mean."""
        samples = await self.samples()
        return await _compute(lambda: reductions.anomalies(samples, threshold, limit), len(samples))

    async def _read(self) -> Samples:
        name, window = self.record.stream.name, self._question.window
        await self._charge()
        return await self._store.read(name, window.start_us, window.end_us)

    async def _read_extremes(self) -> reductions.Extremes:
        name, window = self.record.stream.name, self._question.window
        await self._charge()
        summarised = await self._store.summaries(name, window.start_us, window.end_us)
        return reductions.extremes(summarised)

    async def _charge(self) -> None:
        name, window = self.record.stream.name, self._question.window
        count = await self._store.count(name, window.start_us, window.end_us)
        await self._budget.take_samples(count)

    async def _make_points(self) -> reductions.Points:
        start_us, end_us = self._question.window.start_us, self._question.window.end_us
        downsample = self._question.downsample
        if downsample is not None:
            self._budget.take_points(downsample.count(start_us, end_us))
        samples = await self.samples()
        if downsample is None:
            self._budget.take_points(len(samples))
        median = downsample is not None and downsample.function == "median"
        return await _compute(
            lambda: reductions.points(samples, start_us, end_us, downsample),
            len(samples) * (_MEDIAN_COST if median else 1),
        )

    async def _make_statistics(self) -> reductions.Statistics:
        samples = await self.samples()
        return await _compute(lambda: reductions.statistics(samples), len(samples))


async def _compute(work: Callable[[], T], cost: int) -> T:
    """Do work on arrays: at once where it is short, in a thread where it is not."""
    return work() if cost <= _INLINE_SAMPLES else await asyncio.to_thread(work)

"""The answer about one stream and range: each part computed when it is asked for, once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from aetherops.archive import reductions
from aetherops.services.telemetry.once import Once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aetherops.archive.samples import Samples
    from aetherops.archive.store import Look, TelemetryStore
    from aetherops.services.telemetry.budget import QueryBudget
    from aetherops.services.telemetry.question import TelemetryQuestion
    from aetherops.services.telemetry.room import Lease, SampleRoom

__all__ = ["TelemetryAnswer"]

# Up to so many samples, more than a day at 1 Hz, the way to a thread is as long as the work.
_INLINE_SAMPLES = 131_072
# A median sorts each bucket by itself, percentiles the whole.
_SORTING_COST = 10

T = TypeVar("T")


class TelemetryAnswer:
    """Points, statistics and anomalies of one stream's samples in a window.

    The samples are read from the store at most once, however many parts ask for them. The range
    is counted, and charged to the budget, before they are used. Whoever has the last part
    releases the answer, so that others get the room that its samples took.

    Parameters
    ----------
    look : what the store said of the stream and the window at first.
    room : where more samples find theirs.
    lease : the room of those that came with the look.
    """

    def __init__(
        self,
        look: Look,
        question: TelemetryQuestion,
        store: TelemetryStore,
        budget: QueryBudget,
        room: SampleRoom,
        lease: Lease,
    ) -> None:
        self.record = look.record
        self._look = look
        self._question = question
        self._store = store
        self._budget = budget
        self._room = room
        self._lease = lease
        self._is_released = False
        self._samples: Once[Samples] = Once()
        self._points: Once[reductions.Points] = Once()
        self._statistics: Once[reductions.Statistics] = Once()
        self._extremes: Once[reductions.Extremes] = Once()

    def release(self) -> None:
        """Nothing more will be asked."""
        self._is_released = True
        self._lease.release()

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
        cost = _SORTING_COST * len(samples)
        return await _compute(lambda: reductions.percentiles(samples, ranks), cost)

    async def anomalies(self, threshold: float, limit: int) -> reductions.Anomalies:
        """The first `limit` samples further than `threshold` deviations from the mean."""
        samples = await self.samples()
        return await _compute(lambda: reductions.anomalies(samples, threshold, limit), len(samples))

    async def _read(self) -> Samples:
        await self._budget.take_samples(self._look.count)
        if self._look.samples is not None:
            return self._look.samples
        await self._make_room(self._look.count)
        name, window = self.record.stream.name, self._question.window
        return await self._store.read(name, window.start_us, window.end_us)

    async def _make_room(self, samples: int) -> None:
        self._lease.release()
        self._lease = await self._room.take(samples)
        # Where another part failed, nobody waited for this one.
        if self._is_released:
            self._lease.release()

    async def _read_extremes(self) -> reductions.Extremes:
        name, window = self.record.stream.name, self._question.window
        await self._budget.take_samples(self._look.count)
        summarised = await self._store.summaries(name, window.start_us, window.end_us)
        return reductions.extremes(summarised)

    async def _make_points(self) -> reductions.Points:
        window, downsample = self._question.window, self._question.downsample
        start_us, end_us = window.start_us, window.end_us
        kind = self.record.stream.kind
        if downsample is None:
            samples = await self.samples()
            self._budget.take_points(len(samples))
            return reductions.points(samples, start_us, end_us, None)
        self._budget.take_points(downsample.count(start_us, end_us))
        samples, suited = await self.samples(), downsample.suited_to(kind)
        points = await _compute(
            lambda: reductions.points(samples, start_us, end_us, suited),
            len(samples) * (_SORTING_COST if suited.function == "median" else 1),
        )
        if downsample.holds(kind):
            before = await self._store.last_before(self.record.stream.name, start_us)
            return reductions.held(points, before)
        return points

    async def _make_statistics(self) -> reductions.Statistics:
        samples = await self.samples()
        return await _compute(lambda: reductions.statistics(samples), len(samples))


async def _compute(work: Callable[[], T], cost: int) -> T:
    """Do work on arrays: at once where it is short, in a thread where it is not."""
    return work() if cost <= _INLINE_SAMPLES else await asyncio.to_thread(work)

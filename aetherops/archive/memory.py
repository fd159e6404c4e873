"""A telemetry store in memory, for tests, notebooks and programs without servers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aetherops.aggregation.moments import Moments
from aetherops.archive.merge import IncomingSamples, VersionedSamples, merge_samples
from aetherops.archive.samples import Samples
from aetherops.archive.store import ChunkSummary, Look, Receipt, StreamRecord, SummarisedRange
from aetherops.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from aetherops.archive.samples import Series
    from aetherops.archive.store import AcceptedBatch
    from aetherops.archive.stream import Stream, StreamName

__all__ = ["MemoryTelemetryStore"]

# Nothing is packed here; a run of so many consecutive samples counts as a chunk.
_CHUNK_SAMPLES = 8_192


@dataclass(slots=True)
class _StoredStream:
    stream: Stream
    columns: VersionedSamples = field(default_factory=VersionedSamples.empty)


class MemoryTelemetryStore:
    """Keeps samples in arrays, with the same answers as the PostgreSQL store."""

    def __init__(self) -> None:
        self._streams: dict[str, _StoredStream] = {}
        self._receipts: dict[UUID, Receipt] = {}

    async def write(self, batches: Sequence[AcceptedBatch]) -> list[Receipt]:
        """See `TelemetryStore.write`."""
        for accepted in batches:
            batch_id = accepted.batch.batch_id
            if batch_id not in self._receipts:
                counts = np.zeros(3, np.int64)
                for series in accepted.batch.series:
                    counts += self._add(series, accepted.version)
                self._receipts[batch_id] = Receipt(batch_id, *(int(n) for n in counts))
        return [self._receipts[accepted.batch.batch_id] for accepted in batches]

    def _add(self, series: Series, version: int) -> list[int]:
        stored = self._streams.setdefault(str(series.stream.name), _StoredStream(series.stream))
        stored.stream = series.stream
        n = len(series.samples)
        incoming = IncomingSamples(
            VersionedSamples(series.samples, np.full(n, version, np.int64)), np.zeros(n, np.intp)
        )
        stored.columns, tally = merge_samples(stored.columns, incoming, 1)
        return [int(tally.stored[0]), int(tally.duplicates[0]), int(tally.corrected[0])]

    async def receipts(self, batch_ids: Sequence[UUID]) -> list[Receipt]:
        """See `TelemetryStore.receipts`."""
        return [self._receipts[one] for one in batch_ids if one in self._receipts]

    async def streams(
        self, prefix: str = "", *, after: str = "", limit: int = 100
    ) -> list[StreamRecord]:
        """See `TelemetryStore.streams`."""
        names = sorted(name for name in self._streams if name.startswith(prefix) and name > after)
        return [_record(self._streams[name]) for name in names[:limit]]

    async def find(self, name: StreamName) -> StreamRecord:
        """See `TelemetryStore.find`."""
        return _record(self._get(name))

    async def count(self, name: StreamName, start_us: int, end_us: int) -> int:
        """See `TelemetryStore.count`."""
        first, last = self._bounds(name, start_us, end_us)
        return last - first

    async def look(self, name: StreamName, start_us: int, end_us: int, at_most: int) -> Look:
        """See `TelemetryStore.look`."""
        first, last = self._bounds(name, start_us, end_us)
        stored = self._get(name)
        fits = last - first <= at_most
        samples = stored.columns.samples[first:last] if fits else None
        return Look(_record(stored), last - first, samples)

    async def last_before(self, name: StreamName, time_us: int) -> float | None:
        """See `TelemetryStore.last_before`."""
        before, _ = self._bounds(name, time_us, time_us)
        return float(self._get(name).columns.samples.values[before - 1]) if before else None

    async def read(self, name: StreamName, start_us: int, end_us: int) -> Samples:
        """See `TelemetryStore.read`."""
        first, last = self._bounds(name, start_us, end_us)
        return self._get(name).columns.samples[first:last]

    async def summaries(self, name: StreamName, start_us: int, end_us: int) -> SummarisedRange:
        """See `TelemetryStore.summaries`."""
        samples = self._get(name).columns.samples
        first, last = self._bounds(name, start_us, end_us)
        cuts = {*range(0, len(samples), _CHUNK_SAMPLES), len(samples)}
        edges = sorted(i for i in cuts if first <= i <= last)
        if len(edges) < 2:
            return SummarisedRange(samples[first:last], (), Samples.empty())
        chunks = tuple(_summary(samples[a:b]) for a, b in itertools.pairwise(edges))
        return SummarisedRange(samples[first : edges[0]], chunks, samples[edges[-1] : last])

    def _get(self, name: StreamName) -> _StoredStream:
        try:
            return self._streams[str(name)]
        except KeyError:
            raise NotFoundError("stream", str(name)) from None

    def _bounds(self, name: StreamName, start_us: int, end_us: int) -> tuple[int, int]:
        times = self._get(name).columns.samples.times_us
        first, last = np.searchsorted(times, [start_us, end_us])
        return int(first), max(int(first), int(last))


def _summary(samples: Samples) -> ChunkSummary:
    times_us = samples.times_us
    return ChunkSummary(int(times_us[0]), int(times_us[-1]), Moments(samples.values))


def _record(stored: _StoredStream) -> StreamRecord:
    times = stored.columns.samples.times_us
    return StreamRecord(stored.stream, len(times), int(times[0]), int(times[-1]))

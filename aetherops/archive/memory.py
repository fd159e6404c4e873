"""A telemetry store in memory, for tests, notebooks and programs without servers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aetherops.aggregation.moments import Moments
from aetherops.archive.merge import Incoming, Versioned, settle
from aetherops.archive.samples import Samples
from aetherops.archive.store import ChunkSummary, Receipt, StreamRecord, SummarisedRange
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
class _Held:
    stream: Stream
    columns: Versioned = field(default_factory=Versioned.empty)


class MemoryTelemetryStore:
    """Keeps samples in arrays, with the same answers as the PostgreSQL store."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
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
        held = self._held.setdefault(str(series.stream.name), _Held(series.stream))
        held.stream = series.stream
        n = len(series.samples)
        incoming = Incoming(
            Versioned(series.samples, np.full(n, version, np.int64)), np.zeros(n, np.intp)
        )
        held.columns, tally = settle(held.columns, incoming, 1)
        return [int(tally.stored[0]), int(tally.duplicates[0]), int(tally.corrected[0])]

    async def receipts(self, batch_ids: Sequence[UUID]) -> list[Receipt]:
        """See `TelemetryStore.receipts`."""
        return [self._receipts[one] for one in batch_ids if one in self._receipts]

    async def streams(
        self, prefix: str = "", *, after: str = "", limit: int = 100
    ) -> list[StreamRecord]:
        """See `TelemetryStore.streams`."""
        names = sorted(name for name in self._held if name.startswith(prefix) and name > after)
        return [_record(self._held[name]) for name in names[:limit]]

    async def find(self, name: StreamName) -> StreamRecord:
        """See `TelemetryStore.find`."""
        return _record(self._get(name))

    async def count(self, name: StreamName, start_us: int, end_us: int) -> int:
        """See `TelemetryStore.count`."""
        first, last = self._bounds(name, start_us, end_us)
        return last - first

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

    def _get(self, name: StreamName) -> _Held:
        try:
            return self._held[str(name)]
        except KeyError:
            raise NotFoundError("stream", str(name)) from None

    def _bounds(self, name: StreamName, start_us: int, end_us: int) -> tuple[int, int]:
        times = self._get(name).columns.samples.times_us
        first, last = np.searchsorted(times, [start_us, end_us])
        return int(first), max(int(first), int(last))


def _summary(samples: Samples) -> ChunkSummary:
    times_us = samples.times_us
    return ChunkSummary(int(times_us[0]), int(times_us[-1]), Moments(samples.values))


def _record(held: _Held) -> StreamRecord:
    times = held.columns.samples.times_us
    if len(times) == 0:
        return StreamRecord(held.stream, 0, None, None)
    return StreamRecord(held.stream, len(times), int(times[0]), int(times[-1]))

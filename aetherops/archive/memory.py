"""A telemetry store in memory, for tests, notebooks and programs without servers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aetherops.aggregation.moments import Moments
from aetherops.archive.merge import IncomingSamples, VersionedSamples, merge_samples
from aetherops.archive.metadata import Metadata, refusals
from aetherops.archive.samples import Samples
from aetherops.archive.store import ChunkSummary, Look, Receipt, StreamRecord, SummarisedRange
from aetherops.archive.stream import Stream
from aetherops.audit.memory import MemoryAuditTrail
from aetherops.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from aetherops.archive.samples import Series
    from aetherops.archive.store import AcceptedBatch
    from aetherops.archive.stream import StreamName
    from aetherops.audit.trail import AuditTrail, Authorship

__all__ = ["MemoryTelemetryStore"]

# Nothing is packed here; a run of so many consecutive samples counts as a chunk.
_CHUNK_SAMPLES = 8_192


@dataclass(slots=True)
class _StoredStream:
    stream: Stream
    columns: VersionedSamples = field(default_factory=VersionedSamples.empty)


class MemoryTelemetryStore:
    """Keeps samples in arrays, with the same answers as the PostgreSQL store.

    Parameters
    ----------
    trail : is told what operators change.
    """

    def __init__(self, trail: AuditTrail | None = None) -> None:
        self._trail = trail or MemoryAuditTrail()
        self._refused: dict[UUID, Receipt] = {}
        self._streams: dict[str, _StoredStream] = {}
        self._receipts: dict[UUID, Receipt] = {}

    async def write(self, batches: Sequence[AcceptedBatch]) -> list[Receipt]:
        """See `TelemetryStore.write`."""
        new = [one for one in batches if one.batch.batch_id not in self._receipts]
        names = {stream.name for accepted in new for stream in accepted.batch.streams}
        refused = refusals(new, await self.metadata(list(names)))
        for accepted in sorted(new, key=lambda one: one.version):
            if accepted.batch.batch_id not in refused:
                self._make_missing(accepted.batch.streams)
        for accepted in new:
            batch_id = accepted.batch.batch_id
            if batch_id in refused:
                self._refused[batch_id] = Receipt(batch_id, 0, 0, 0, str(refused[batch_id]))
            elif batch_id not in self._receipts:
                counts = np.zeros(3, np.int64)
                for series in accepted.batch.series:
                    counts += self._add(series, accepted.version)
                stored, duplicates, corrected = (int(n) for n in counts)
                self._receipts[batch_id] = Receipt(batch_id, stored, duplicates, corrected)
        return await self.receipts([accepted.batch.batch_id for accepted in batches])

    def _make_missing(self, streams: Sequence[Stream]) -> None:
        for stream in streams:
            if str(stream.name) not in self._streams:
                new = Stream(stream.name, *Metadata.first_said(stream))
                self._streams[str(stream.name)] = _StoredStream(new)

    def _add(self, series: Series, version: int) -> list[int]:
        stored = self._streams[str(series.stream.name)]
        n = len(series.samples)
        incoming = IncomingSamples(
            VersionedSamples(series.samples, np.full(n, version, np.int64)), np.zeros(n, np.intp)
        )
        stored.columns, tally = merge_samples(stored.columns, incoming, 1)
        return [int(tally.stored[0]), int(tally.duplicates[0]), int(tally.corrected[0])]

    async def receipts(self, batch_ids: Sequence[UUID]) -> list[Receipt]:
        """See `TelemetryStore.receipts`."""
        found = self._refused | self._receipts
        return [found[one] for one in batch_ids if one in found]

    async def metadata(self, names: Sequence[StreamName]) -> dict[StreamName, Metadata]:
        """See `TelemetryStore.metadata`."""
        streams = [self._streams[str(name)].stream for name in names if str(name) in self._streams]
        return {stream.name: Metadata(stream.unit, stream.kind) for stream in streams}

    async def describe(
        self, name: StreamName, author: Authorship, *, unit: str | None, kind: str | None
    ) -> StreamRecord:
        """See `TelemetryStore.describe`."""
        stored = self._get(name)
        before = Metadata(stored.stream.unit, stored.stream.kind)
        after = before.changed(unit, kind)
        if after != before:
            stored.stream = Stream(name, *after)
            await self._trail.append(before.entry_of(after, name, author))
        return _record(stored)

    async def streams(
        self, prefix: str = "", *, after: str = "", limit: int = 100
    ) -> list[StreamRecord]:
        """See `TelemetryStore.streams`."""
        names = sorted(name for name in self._streams if name.startswith(prefix) and name > after)
        return [_record(self._streams[name]) for name in names[:limit]]

    async def find(self, name: StreamName) -> StreamRecord:
        """See `TelemetryStore.find`."""
        return _record(self._get(name))

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

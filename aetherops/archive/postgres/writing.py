"""Writing to PostgreSQL: one transaction that leaves chunks merged and receipts kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from aetherops.archive.acceptance import split_version
from aetherops.archive.chunk import Chunk, PackedColumns, pack
from aetherops.archive.merge import IncomingSamples, Tally, VersionedSamples, merge_samples
from aetherops.archive.metadata import Metadata, refusals
from aetherops.archive.placement import NEIGHBOURS, Rewrite, Span, place
from aetherops.archive.postgres.metadata import RefusedBatchesError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from aetherops.archive.store import AcceptedBatch
    from aetherops.archive.stream import Stream, StreamName
    from aetherops.connections.postgres import PostgresConnection

__all__ = ["write_batches"]

# Locks the streams in the order of their names, so that writers wait and never deadlock.
_LOCK_STREAMS = """
INSERT INTO stream (name, unit, kind)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT (name) DO UPDATE SET unit = stream.unit
RETURNING name, stream_id, unit, kind, xmax = 0 AS is_new
"""

_STORED = "SELECT batch_id FROM receipt WHERE batch_id = ANY($1::uuid[])"

_SPANS = f"""
SELECT q.stream_id, c.start_us, c.end_us, c.count
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS q (stream_id, first_us, last_us)
CROSS JOIN LATERAL (
    (SELECT start_us, end_us, count FROM chunk
     WHERE stream_id = q.stream_id AND start_us <= q.first_us
     ORDER BY start_us DESC LIMIT {NEIGHBOURS})
    UNION ALL
    (SELECT start_us, end_us, count FROM chunk
     WHERE stream_id = q.stream_id AND start_us > q.first_us AND start_us <= q.last_us)
) AS c
ORDER BY q.stream_id, c.start_us
"""  # noqa: S608 -- the constant is an integer of ours

# A chunk that is rewritten is deleted first; its columns come back to be merged.
_TAKE_CHUNKS = """
DELETE FROM chunk AS c
USING unnest($1::bigint[], $2::bigint[]) AS q (stream_id, start_us)
WHERE c.stream_id = q.stream_id AND c.start_us = q.start_us
RETURNING c.stream_id, c.start_us, c.count, c.codec, c.times, c."values", c.versions
"""

_CHUNK_COLUMNS = (
    "stream_id",
    "start_us",
    "end_us",
    "count",
    "mean",
    "m2",
    "minimum",
    "maximum",
    "first_value",
    "last_value",
    "codec",
    "times",
    "values",
    "versions",
)

# A worker's own row of progress, by its session: found again by the next of the same number.
_GROW_STREAMS = """
WITH progress AS (
    INSERT INTO acceptance_progress (epoch, writer, sequence)
    SELECT $5::bigint, pg_backend_pid() % 256, $6::bigint WHERE $5 IS NOT NULL
    ON CONFLICT (epoch, writer) DO UPDATE
    SET sequence = greatest(acceptance_progress.sequence, excluded.sequence)
)
UPDATE stream AS s
SET count = s.count + q.stored,
    first_us = least(s.first_us, q.first_us),
    last_us = greatest(s.last_us, q.last_us)
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
     AS q (stream_id, stored, first_us, last_us)
WHERE s.stream_id = q.stream_id
"""

_RECEIPT_COLUMNS = ("batch_id", "stored", "duplicates", "corrected")


@dataclass(slots=True)
class _Change:
    """What is new in one stream, and what becomes of its chunks."""

    stream_id: int
    incoming: IncomingSamples
    spans: list[Span] = field(default_factory=list)
    rewrites: list[Rewrite] = field(default_factory=list)

    def replaced(self) -> list[tuple[int, int]]:
        """Keys of the chunks that are rewritten."""
        return [
            (self.stream_id, self.spans[i].start_us)
            for rewrite in self.rewrites
            for i in rewrite.spans
        ]


async def write_batches(connection: PostgresConnection, batches: Sequence[AcceptedBatch]) -> None:
    """Store those of the batches that have no receipt yet; runs inside a transaction.

    Raises
    ------
    RefusedBatchesError
        Some say of their streams what is not so; the transaction is to be begun without them.
    """
    stream_ids, known = await _lock_streams(connection, batches)
    # Only behind the locks: a batch's own streams keep a second writer of it waiting.
    unstored = await _without_receipt(connection, batches)
    if not unstored:
        return
    if refused := refusals(unstored, known):
        raise RefusedBatchesError(refused)
    changes = _gather(unstored, stream_ids)
    await _place(connection, changes)
    taken = await _take_chunks(connection, changes)
    chunks, tally, grown = await asyncio.to_thread(_rewrite, changes, taken, len(unstored))
    await connection.copy_records_to_table("chunk", records=chunks, columns=_CHUNK_COLUMNS)
    progress = split_version(max(accepted.version for accepted in unstored)) or (None, None)
    await connection.execute(_GROW_STREAMS, *map(list, zip(*grown, strict=True)), *progress)
    await connection.copy_records_to_table(
        "receipt",
        records=zip(
            [accepted.batch.batch_id for accepted in unstored],
            tally.stored.tolist(),
            tally.duplicates.tolist(),
            tally.corrected.tolist(),
            strict=True,
        ),
        columns=_RECEIPT_COLUMNS,
    )


async def _lock_streams(
    connection: PostgresConnection, batches: Sequence[AcceptedBatch]
) -> tuple[dict[str, int], dict[StreamName, Metadata]]:
    """Their ids by name, and what is said of those that were there before."""
    streams: dict[str, Stream] = {}
    for accepted in sorted(batches, key=lambda one: one.version):
        for stream in accepted.batch.streams:
            streams.setdefault(str(stream.name), stream)
    names = sorted(streams)
    first_said = [Metadata.first_said(streams[name]) for name in names]
    rows = await connection.fetch(
        _LOCK_STREAMS,
        names,
        [metadata.unit for metadata in first_said],
        [metadata.kind for metadata in first_said],
    )
    known = {
        streams[row["name"]].name: Metadata(row["unit"], row["kind"])
        for row in rows
        if not row["is_new"]
    }
    return {row["name"]: row["stream_id"] for row in rows}, known


async def _without_receipt(
    connection: PostgresConnection, batches: Sequence[AcceptedBatch]
) -> list[AcceptedBatch]:
    by_id: dict[UUID, AcceptedBatch] = {}
    for accepted in batches:
        by_id.setdefault(accepted.batch.batch_id, accepted)
    for row in await connection.fetch(_STORED, list(by_id)):
        del by_id[row["batch_id"]]
    return list(by_id.values())


def _gather(batches: Sequence[AcceptedBatch], stream_ids: Mapping[str, int]) -> list[_Change]:
    """All new samples of each stream, sorted by time, with the batch each came in."""
    parts: dict[int, list[IncomingSamples]] = {}
    for origin, accepted in enumerate(batches):
        for series in accepted.batch.series:
            n = len(series.samples)
            columns = VersionedSamples(series.samples, np.full(n, accepted.version, np.int64))
            part = IncomingSamples(columns, np.full(n, origin, np.intp))
            parts.setdefault(stream_ids[str(series.stream.name)], []).append(part)
    return [_Change(stream_id, _sorted(joined)) for stream_id, joined in sorted(parts.items())]


def _sorted(parts: list[IncomingSamples]) -> IncomingSamples:
    joined = IncomingSamples(
        VersionedSamples.join(part.versioned for part in parts),
        np.concatenate([part.origin for part in parts]),
    )
    times = joined.times_us
    if np.all(times[1:] >= times[:-1]):
        return joined
    return joined[np.argsort(times, kind="stable")]


async def _place(connection: PostgresConnection, changes: Sequence[_Change]) -> None:
    by_id = {change.stream_id: change for change in changes}
    rows = await connection.fetch(
        _SPANS,
        list(by_id),
        [int(change.incoming.times_us[0]) for change in changes],
        [int(change.incoming.times_us[-1]) for change in changes],
    )
    for stream_id, group in groupby(rows, key=itemgetter("stream_id")):
        by_id[stream_id].spans = [Span(r["start_us"], r["end_us"], r["count"]) for r in group]
    for change in changes:
        change.rewrites = place(change.incoming.times_us, change.spans)


async def _take_chunks(
    connection: PostgresConnection, changes: Iterable[_Change]
) -> dict[tuple[int, int], PackedColumns]:
    keys = [key for change in changes for key in change.replaced()]
    if not keys:
        return {}
    rows = await connection.fetch(_TAKE_CHUNKS, *map(list, zip(*keys, strict=True)))
    return {(row[0], row[1]): PackedColumns(*row[2:]) for row in rows}


def _rewrite(
    changes: Sequence[_Change], taken: Mapping[tuple[int, int], PackedColumns], batches: int
) -> tuple[list[tuple[object, ...]], Tally, list[tuple[int, int, int, int]]]:
    """The processor's part, run in a thread: merge, pack and summarise.

    Returns rows for `chunk`, the tally of each batch, and rows for `_GROW_STREAMS`.
    """
    rows: list[tuple[object, ...]] = []
    total = Tally.zero(batches)
    grown: list[tuple[int, int, int, int]] = []
    for change in changes:
        stored = 0
        for rewrite in change.rewrites:
            keys = [(change.stream_id, change.spans[i].start_us) for i in rewrite.spans]
            existing = VersionedSamples.join(taken[key].versioned() for key in keys)
            merged, tally = merge_samples(
                existing, change.incoming[rewrite.first : rewrite.last], batches
            )
            total.add(tally)
            stored += int(tally.stored.sum())
            rows.extend(_row(change.stream_id, chunk) for chunk in pack(merged))
        times = change.incoming.times_us
        grown.append((change.stream_id, stored, int(times[0]), int(times[-1])))
    return rows, total, grown


def _row(stream_id: int, chunk: Chunk) -> tuple[object, ...]:
    moments, packed = chunk.moments, chunk.packed
    return (
        stream_id,
        chunk.start_us,
        chunk.end_us,
        packed.count,
        moments.mean,
        moments.m2,
        moments.min,
        moments.max,
        moments.first,
        moments.last,
        packed.codec,
        packed.times,
        packed.values,
        packed.versions,
    )

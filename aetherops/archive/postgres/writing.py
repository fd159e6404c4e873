"""Writing to PostgreSQL: one transaction that leaves chunks merged and receipts kept."""

from __future__ import annotations

import asyncio
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from aetherops.archive.acceptance import split_version
from aetherops.archive.chunk import PackedColumns
from aetherops.archive.incoming import by_stream
from aetherops.archive.metadata import Metadata, refusals
from aetherops.archive.placement import NEIGHBOURS, Span
from aetherops.archive.postgres.metadata import RefusedBatchesError
from aetherops.archive.postgres.rewriting import Change, place_all, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from aetherops.archive.store import AcceptedBatch
    from aetherops.archive.stream import Stream, StreamName
    from aetherops.connections.postgres import PostgresConnection

__all__ = ["write_batches"]

_T = TypeVar("_T")

# Rows that go to the server at once.
_PIECE = 2_000

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


async def write_batches(connection: PostgresConnection, batches: Sequence[AcceptedBatch]) -> None:
    """Store those of the batches that have no receipt yet; runs inside a transaction.

    What takes the processor is done in threads, and what goes to the server in pieces: the largest
    batch keeps nobody else waiting.

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
    if refused := await asyncio.to_thread(refusals, unstored, known):
        raise RefusedBatchesError(refused)
    changes = await asyncio.to_thread(_gather, unstored, stream_ids)
    await _place(connection, changes)
    taken = await _take_chunks(connection, changes)
    chunks, tally, grown = await asyncio.to_thread(rewrite, changes, taken, len(unstored))
    for rows in _pieces(chunks):
        await connection.copy_records_to_table("chunk", records=rows, columns=_CHUNK_COLUMNS)
    progress = split_version(max(accepted.version for accepted in unstored)) or (None, None)
    for piece in _pieces(grown):
        await connection.execute(_GROW_STREAMS, *map(list, zip(*piece, strict=True)), *progress)
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
) -> tuple[dict[StreamName, int], dict[StreamName, Metadata]]:
    """Their ids, and what is said of those that were there before."""
    streams: dict[StreamName, Stream] = {}
    for accepted in sorted(batches, key=lambda one: -one.version):  # the first accepted says it
        columns = accepted.batch.columns
        streams.update(zip(columns.names, columns.streams, strict=True))
    ids: dict[StreamName, int] = {}
    known: dict[StreamName, Metadata] = {}
    for piece in _pieces(await asyncio.to_thread(_by_text, streams)):
        first_said = [Metadata.first_said(stream) for _, stream in piece]
        rows = await connection.fetch(
            _LOCK_STREAMS,
            [text for text, _ in piece],
            [metadata.unit for metadata in first_said],
            [metadata.kind for metadata in first_said],
        )
        found = {row["name"]: row for row in rows}
        for text, stream in piece:
            row = found[text]
            ids[stream.name] = row["stream_id"]
            if not row["is_new"]:
                known[stream.name] = Metadata(row["unit"], row["kind"])
    return ids, known


def _by_text(streams: Mapping[StreamName, Stream]) -> list[tuple[str, Stream]]:
    """In the order of the names' texts, which is that of the locks."""
    return sorted([(str(name), stream) for name, stream in streams.items()], key=itemgetter(0))


async def _without_receipt(
    connection: PostgresConnection, batches: Sequence[AcceptedBatch]
) -> list[AcceptedBatch]:
    by_id: dict[UUID, AcceptedBatch] = {}
    for accepted in batches:
        by_id.setdefault(accepted.batch.batch_id, accepted)
    for row in await connection.fetch(_STORED, list(by_id)):
        del by_id[row["batch_id"]]
    return list(by_id.values())


def _gather(batches: Sequence[AcceptedBatch], stream_ids: Mapping[StreamName, int]) -> list[Change]:
    return [Change(*one) for one in by_stream(batches, stream_ids)]


async def _place(connection: PostgresConnection, changes: Sequence[Change]) -> None:
    for piece in _pieces(changes):
        by_id = {change.stream_id: change for change in piece}
        rows = await connection.fetch(
            _SPANS,
            list(by_id),
            [int(change.incoming.times_us[0]) for change in piece],
            [int(change.incoming.times_us[-1]) for change in piece],
        )
        for stream_id, group in groupby(rows, key=itemgetter("stream_id")):
            by_id[stream_id].spans = [Span(r["start_us"], r["end_us"], r["count"]) for r in group]
    await asyncio.to_thread(place_all, changes)


async def _take_chunks(
    connection: PostgresConnection, changes: Iterable[Change]
) -> dict[tuple[int, int], PackedColumns]:
    taken: dict[tuple[int, int], PackedColumns] = {}
    for piece in _pieces([key for change in changes for key in change.replaced()]):
        rows = await connection.fetch(_TAKE_CHUNKS, *map(list, zip(*piece, strict=True)))
        taken.update(((row[0], row[1]), PackedColumns(*row[2:])) for row in rows)
    return taken


def _pieces(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Of so many items that what is done with them between two turns of the loop is short."""
    for first in range(0, len(items), _PIECE):
        yield items[first : first + _PIECE]

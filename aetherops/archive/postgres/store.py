"""Reading from PostgreSQL, and the store's public face."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aetherops.archive.chunk import PackedColumns
from aetherops.archive.postgres.metadata import (
    RefusedBatchesError,
    change_metadata,
    note_refused,
    read_metadata,
)
from aetherops.archive.postgres.ranges import (
    BEFORE,
    LOOK,
    READ,
    SUMMARIES,
    last_of,
    summarise,
    unpack,
)
from aetherops.archive.postgres.writing import write_batches
from aetherops.archive.samples import Samples
from aetherops.archive.store import Look, Receipt, StreamRecord
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import asyncpg

    from aetherops.archive.metadata import Metadata, StreamConflictError
    from aetherops.archive.store import AcceptedBatch, SummarisedRange
    from aetherops.audit.trail import Authorship
    from aetherops.connections.postgres import Postgres, PostgresConnection

__all__ = ["PostgresTelemetryStore"]

_RECEIPTS = """
SELECT batch_id, stored, duplicates, corrected, NULL::text AS refused
FROM receipt WHERE batch_id = ANY($1::uuid[])
UNION ALL
(SELECT DISTINCT ON (f.batch_id) f.batch_id, 0, 0, 0, f.reason
 FROM refusal AS f
 WHERE f.batch_id = ANY($1::uuid[])
   AND NOT EXISTS (SELECT FROM receipt AS r WHERE r.batch_id = f.batch_id)
 ORDER BY f.batch_id, f.refusal_id DESC)
"""

_STREAM_COLUMNS = "SELECT name, unit, kind, count, first_us, last_us FROM stream"

_STREAMS = f"""
{_STREAM_COLUMNS}
WHERE name > $2 AND starts_with(name, $1) ORDER BY name LIMIT $3
"""

# Columns of `LOOK` before those of the packed chunk.
_STREAM_WIDTH = 7
# A chunk takes some 0.1 ms to unpack.
_INLINE_CHUNKS = 2

_FIND = f"{_STREAM_COLUMNS} WHERE name = $1"


class PostgresTelemetryStore:
    """`TelemetryStore` over a migrated database."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def write(self, batches: Sequence[AcceptedBatch]) -> list[Receipt]:
        """See `TelemetryStore.write`."""
        refused: dict[UUID, StreamConflictError] = {}
        while True:
            rest = [one for one in batches if one.batch.batch_id not in refused]
            try:
                async with self._postgres.transaction() as connection:
                    if rest:
                        await write_batches(connection, rest)
                    await note_refused(connection, refused)
                    receipts = await self._receipts(connection, [b.batch.batch_id for b in batches])
            except RefusedBatchesError as error:
                refused |= error.refused  # fewer each time
            else:
                return [receipts[accepted.batch.batch_id] for accepted in batches]

    async def receipts(self, batch_ids: Sequence[UUID]) -> list[Receipt]:
        """See `TelemetryStore.receipts`."""
        async with self._postgres.connection() as connection:
            found = await self._receipts(connection, batch_ids)
        return [found[one] for one in batch_ids if one in found]

    async def metadata(self, names: Sequence[StreamName]) -> dict[StreamName, Metadata]:
        """See `TelemetryStore.metadata`."""
        async with self._postgres.connection() as connection:
            return await read_metadata(connection, names)

    async def describe(
        self, name: StreamName, author: Authorship, *, unit: str | None, kind: str | None
    ) -> StreamRecord:
        """See `TelemetryStore.describe`."""
        async with self._postgres.transaction() as connection:
            await change_metadata(connection, name, author, unit, kind)
        return await self.find(name)

    @staticmethod
    async def _receipts(
        connection: PostgresConnection, batch_ids: Sequence[UUID]
    ) -> dict[UUID, Receipt]:
        rows = await connection.fetch(_RECEIPTS, batch_ids)
        return {row["batch_id"]: Receipt(**row) for row in rows}

    async def streams(
        self, prefix: str = "", *, after: str = "", limit: int = 100
    ) -> list[StreamRecord]:
        """See `TelemetryStore.streams`."""
        async with self._postgres.connection() as connection:
            return [_record(row) for row in await connection.fetch(_STREAMS, prefix, after, limit)]

    async def find(self, name: StreamName) -> StreamRecord:
        """See `TelemetryStore.find`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(_FIND, str(name))
        if row is None:
            raise NotFoundError("stream", str(name))
        return _record(row)

    async def look(self, name: StreamName, start_us: int, end_us: int, at_most: int) -> Look:
        """See `TelemetryStore.look`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(LOOK, str(name), start_us, end_us, at_most)
        if not rows:
            raise NotFoundError("stream", str(name))
        record, total = _record(rows[0]), rows[0]["total"]
        if total > at_most:
            return Look(record, total, None)
        chunks = [PackedColumns(*tuple(row)[_STREAM_WIDTH:]) for row in rows] if total else []
        return Look(record, total, await _unpacked(chunks, start_us, end_us))

    async def last_before(self, name: StreamName, time_us: int) -> float | None:
        """See `TelemetryStore.last_before`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(BEFORE, str(name), time_us)
        if row is None:
            await self.find(name)
            return None
        return last_of(row, time_us)

    async def read(self, name: StreamName, start_us: int, end_us: int) -> Samples:
        """See `TelemetryStore.read`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(READ, str(name), start_us, end_us)
        if not rows:
            await self.find(name)
            return Samples.empty()
        return await _unpacked([PackedColumns(*row) for row in rows], start_us, end_us)

    async def summaries(self, name: StreamName, start_us: int, end_us: int) -> SummarisedRange:
        """See `TelemetryStore.summaries`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(SUMMARIES, str(name), start_us, end_us)
        if not rows:
            await self.find(name)
        return await asyncio.to_thread(summarise, rows, start_us, end_us)


async def _unpacked(chunks: Sequence[PackedColumns], start_us: int, end_us: int) -> Samples:
    """In a thread, beside the other requests, where it takes longer than going there."""
    if len(chunks) <= _INLINE_CHUNKS:
        return unpack(chunks, start_us, end_us)
    return await asyncio.to_thread(unpack, chunks, start_us, end_us)


def _record(row: asyncpg.Record) -> StreamRecord:
    stream = Stream(StreamName.parse(row["name"]), row["unit"], row["kind"])
    return StreamRecord(stream, row["count"], row["first_us"], row["last_us"])

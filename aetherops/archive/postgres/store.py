"""Reading from PostgreSQL, and the store's public face."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from aetherops.archive.chunk import PackedColumns
from aetherops.archive.postgres.writing import write_batches
from aetherops.archive.samples import Samples
from aetherops.archive.store import Receipt, StreamRecord
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import asyncpg

    from aetherops.archive.store import AcceptedBatch
    from aetherops.connections.postgres import Postgres, PostgresConnection

__all__ = ["PostgresTelemetryStore"]

_RECEIPTS = """
SELECT batch_id, stored, duplicates, corrected FROM receipt WHERE batch_id = ANY($1::uuid[])
"""

_STREAM_COLUMNS = "SELECT name, unit, kind, count, first_us, last_us FROM stream"

_STREAMS = f"""
{_STREAM_COLUMNS}
WHERE name > $2 AND starts_with(name, $1) ORDER BY name LIMIT $3
"""

_FIND = f"{_STREAM_COLUMNS} WHERE name = $1"

# Chunks never overlap, so the first of a range is the last that begins at or before its start:
# one probe of the primary key, then one index range, however large the archive.
_RANGE = """
FROM chunk AS c
JOIN stream AS s USING (stream_id)
WHERE s.name = $1
  AND c.start_us < $3
  AND c.end_us >= $2
  AND c.start_us >= coalesce(
      (SELECT max(p.start_us) FROM chunk AS p
       WHERE p.stream_id = s.stream_id AND p.start_us <= $2), $2)
"""

_COUNT = f"SELECT coalesce(sum(c.count), 0)::bigint {_RANGE}"

_READ = f"""
SELECT c.count, c.codec, c.times, c."values" {_RANGE} ORDER BY c.start_us
"""


class PostgresTelemetryStore:
    """`TelemetryStore` over a migrated database."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def write(self, batches: Sequence[AcceptedBatch]) -> list[Receipt]:
        """See `TelemetryStore.write`."""
        async with self._postgres.transaction() as connection:
            await write_batches(connection, batches)
            receipts = await self._receipts(connection, [b.batch.batch_id for b in batches])
        return [receipts[accepted.batch.batch_id] for accepted in batches]

    async def receipts(self, batch_ids: Sequence[UUID]) -> list[Receipt]:
        """See `TelemetryStore.receipts`."""
        async with self._postgres.connection() as connection:
            found = await self._receipts(connection, batch_ids)
        return [found[one] for one in batch_ids if one in found]

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

    async def count(self, name: StreamName, start_us: int, end_us: int) -> int:
        """See `TelemetryStore.count`."""
        async with self._postgres.connection() as connection:
            return int(await connection.fetchval(_COUNT, str(name), start_us, end_us))

    async def read(self, name: StreamName, start_us: int, end_us: int) -> Samples:
        """See `TelemetryStore.read`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(_READ, str(name), start_us, end_us)
        if not rows:
            await self.find(name)
            return Samples.empty()
        packed = [PackedColumns(**row) for row in rows]
        return await asyncio.to_thread(_unpack_range, packed, start_us, end_us)


def _record(row: asyncpg.Record) -> StreamRecord:
    stream = Stream(StreamName.parse(row["name"]), row["unit"], row["kind"])
    return StreamRecord(stream, row["count"], row["first_us"], row["last_us"])


def _unpack_range(chunks: list[PackedColumns], start_us: int, end_us: int) -> Samples:
    """Chunks in order, unpacked into one pair of arrays and cut to the range."""
    total = sum(chunk.count for chunk in chunks)
    times, values = np.empty(total, np.int64), np.empty(total, np.float64)
    at = 0
    for chunk in chunks:
        piece = slice(at, at + chunk.count)
        chunk.unpack_into(times[piece], values[piece])
        at += chunk.count
    first, last = np.searchsorted(times, [start_us, end_us])
    return Samples(times[first:last], values[first:last])

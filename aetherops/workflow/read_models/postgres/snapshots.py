"""Kept states of workflows on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from aetherops.workflow.projection.projection import PROJECTION_VERSION
from aetherops.workflow.snapshots.kept import KeptState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from aetherops.connections.postgres import Postgres

__all__ = ["PostgresSnapshots"]

_COLUMNS = "workflow_id, projection_version, version, recorded_at, event_id, state, digest"

_FIND = f"""
SELECT {_COLUMNS} FROM workflow_snapshot
WHERE workflow_id = $1 AND projection_version = $2
  AND ($3::bigint IS NULL OR version <= $3) AND ($4::timestamptz IS NULL OR recorded_at <= $4)
ORDER BY version DESC LIMIT 1
"""  # noqa: S608 -- columns of ours

_KEEP = f"""
INSERT INTO workflow_snapshot ({_COLUMNS})
SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::timestamptz[], $5::uuid[],
                     $6::bytea[], $7::bytea[])
ON CONFLICT (workflow_id, projection_version, version) DO UPDATE
SET recorded_at = excluded.recorded_at, event_id = excluded.event_id, state = excluded.state,
    digest = excluded.digest
"""  # noqa: S608 -- columns of ours

_FORGET = """
DELETE FROM workflow_snapshot WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM workflow_snapshot WHERE projection_version < $1 LIMIT $2
))
"""
_FORGOTTEN_AT_ONCE = 500


class PostgresSnapshots:
    """`SnapshotStore` over a migrated database."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    def parse(self, data: bytes) -> Any:
        """See `SnapshotStore.parse`."""
        return orjson.loads(data)

    async def find(self, workflow_id: str, until: int | datetime | None) -> KeptState | None:
        """See `SnapshotStore.find`."""
        version = until if isinstance(until, int) else None
        instant = None if isinstance(until, int) else until
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(
                _FIND, workflow_id, PROJECTION_VERSION, version, instant
            )
        return None if row is None else KeptState(*row)

    async def keep(self, states: Sequence[KeptState]) -> None:
        """See `SnapshotStore.keep`."""
        if not states:
            return
        rows = [
            (
                one.workflow_id,
                one.projection_version,
                one.version,
                one.recorded_at,
                one.event_id,
                one.data,
                one.digest,
            )
            for one in states
        ]
        async with self._postgres.transaction() as connection:
            await connection.execute(_KEEP, *map(list, zip(*rows, strict=True)))

    async def forget_some(self) -> bool:
        """See `SnapshotStore.forget_some`."""
        async with self._postgres.transaction() as connection:
            done = await connection.execute(_FORGET, PROJECTION_VERSION, _FORGOTTEN_AT_ONCE)
        return done == f"DELETE {_FORGOTTEN_AT_ONCE}"

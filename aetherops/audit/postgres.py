"""The audit trail in PostgreSQL: the role that serves may insert and read, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aetherops.audit.trail import AuditEntry, KeptEntry

if TYPE_CHECKING:
    from aetherops.connections.postgres import Postgres, PostgresConnection

__all__ = ["PostgresAuditTrail", "append_in"]

_APPEND = """
INSERT INTO audit_entry (at_us, operator, action, subject, old, new, correlation)
VALUES ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7)
"""

_ENTRIES = """
SELECT entry_id, at_us, operator, action, subject, old, new, correlation FROM audit_entry
WHERE entry_id > $1 AND ($2::text IS NULL OR subject = $2)
ORDER BY entry_id LIMIT $3
"""


async def append_in(connection: PostgresConnection, entry: AuditEntry) -> None:
    """Keep an entry in the transaction of the change that it tells of."""
    await connection.execute(
        _APPEND,
        *(entry.at_us, entry.operator, entry.action, entry.subject),
        *(json.dumps(entry.old), json.dumps(entry.new), entry.correlation),
    )


class PostgresAuditTrail:
    """`AuditTrail` over a migrated database."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def append(self, entry: AuditEntry) -> None:
        """See `AuditTrail.append`."""
        async with self._postgres.transaction() as connection:
            await append_in(connection, entry)

    async def entries(
        self, *, subject: str | None = None, after: int = 0, limit: int = 100
    ) -> list[KeptEntry]:
        """See `AuditTrail.entries`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(_ENTRIES, after, subject, limit)
        return [KeptEntry(entry_id, _entry(*columns)) for entry_id, *columns in rows]


def _entry(
    at_us: int, operator: str, action: str, subject: str, old: str, new: str, correlation: str
) -> AuditEntry:
    return AuditEntry(
        at_us, operator, action, subject, json.loads(old), json.loads(new), correlation
    )

"""What the database must let us do, before batches can be stored in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from aetherops.migrations.rights import RUNTIME_RIGHTS

if TYPE_CHECKING:
    from aetherops.connections.postgres import Postgres

__all__ = ["check_rights"]

_MISSING = """
SELECT q.right_ || ' on ' || q.table_
FROM unnest($1::text[], $2::text[]) AS q (table_, right_)
WHERE NOT has_table_privilege(q.table_, q.right_)
"""

_log = structlog.get_logger(__name__)


async def check_rights(postgres: Postgres) -> list[str]:
    """What is missing to store batches, named and logged. Questions are answered without it."""
    pairs = [(table, right) for table, rights in RUNTIME_RIGHTS.items() for right in rights]
    async with postgres.connection() as connection:
        rows = await connection.fetch(_MISSING, *map(list, zip(*pairs, strict=True)))
        missing = [str(row[0]) for row in rows]
        if await connection.fetchval("SHOW transaction_read_only") == "on":
            missing.append("transactions that write")
    if missing:
        _log.warning("rights_not_granted", missing=missing)
    return missing

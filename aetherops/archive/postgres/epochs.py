"""Epochs of the order of acceptance, in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.archive.acceptance import FIRST_EPOCH, Epoch

if TYPE_CHECKING:
    from aetherops.connections.postgres import Postgres

__all__ = ["PostgresAcceptanceEpochs"]

_LATEST = """
SELECT e.epoch, e.queue,
       coalesce((SELECT max(p.sequence) FROM acceptance_progress AS p WHERE p.epoch = e.epoch), 0)
FROM acceptance_epoch AS e ORDER BY e.epoch DESC LIMIT 1
"""

# The key decides between workers that find the same queue new: one begins the epoch, all use it.
_OPEN = "INSERT INTO acceptance_epoch (epoch, queue) VALUES ($1, $2) ON CONFLICT DO NOTHING"


class PostgresAcceptanceEpochs:
    """`AcceptanceEpochs` over a migrated database."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def latest(self) -> Epoch | None:
        """See `AcceptanceEpochs.latest`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(_LATEST)
        return None if row is None else Epoch(*row)

    async def open(self, queue: str, after: Epoch | None) -> None:
        """See `AcceptanceEpochs.open`."""
        number = FIRST_EPOCH if after is None else after.number + 1
        async with self._postgres.transaction() as connection:
            await connection.execute(_OPEN, number, queue)

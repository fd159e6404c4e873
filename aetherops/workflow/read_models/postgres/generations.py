"""Generations of the read models: which one answers, which is being filled, which is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import asyncpg

    from aetherops.connections.postgres import Postgres

__all__ = ["Generation", "Generations"]

_COLUMNS = "g.generation, g.fold_version, g.position"

_LIVING = f"""
SELECT {_COLUMNS} FROM workflow_living AS l JOIN workflow_generation AS g USING (generation)
WHERE l.model = 'workflows'
"""  # noqa: S608 -- columns of ours

_BEGIN = f"""
INSERT INTO workflow_generation AS g (fold_version) VALUES ($1) RETURNING {_COLUMNS}
"""  # noqa: S608 -- columns of ours

_FIRST = """
INSERT INTO workflow_living (model, generation) VALUES ('workflows', $1) ON CONFLICT DO NOTHING
"""

_NOT_LIVING = "generation <> (SELECT generation FROM workflow_living WHERE model = 'workflows')"

# Of several, the one that is furthest. One that somebody has just moved is his.
_BEING_FILLED = f"""
SELECT {_COLUMNS} FROM workflow_generation AS g
WHERE {_NOT_LIVING} AND NOT is_retired AND fold_version = $1
  AND moved_at <= clock_timestamp() - make_interval(secs => $2)
ORDER BY position DESC LIMIT 1
"""  # noqa: S608 -- conditions of ours

_RETIRE_OLDER = f"""
UPDATE workflow_generation SET is_retired = true
WHERE {_NOT_LIVING} AND NOT is_retired AND fold_version < $1
"""  # noqa: S608 -- conditions of ours

# Whoever fills the old one waits for this, and finds it retired.
_LOCK = "SELECT position FROM workflow_generation WHERE generation = $1 FOR UPDATE"
_TAKE_PLACE = """
UPDATE workflow_living SET generation = $2 WHERE model = 'workflows' AND generation = $1
RETURNING true
"""
_RETIRE = "UPDATE workflow_generation SET is_retired = true WHERE generation = $1"

_RETIRED = "SELECT generation FROM workflow_generation WHERE is_retired ORDER BY generation"
_REMOVE = tuple(
    f"""
    DELETE FROM {table} WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {table} WHERE generation = $1 LIMIT $2
    ))
    """  # noqa: S608 -- a table of ours
    for table in ("workflow_summary", "workflow_interval", "workflow_parked")
)
_FORGET = "DELETE FROM workflow_generation WHERE generation = $1 AND is_retired"
_REMOVED_AT_ONCE = 5_000


class Generation(NamedTuple):
    """One filling of the read models, from the first event on.

    Parameters
    ----------
    number : which.
    fold_version : of the program that fills it.
    position : of the last event that it holds.
    """

    number: int
    fold_version: int
    position: int


class Generations:
    """The generations in a migrated database."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def living(self) -> Generation | None:
        """The one that answers; None before there is any."""
        async with self._postgres.connection() as connection:
            return _generation(await connection.fetchrow(_LIVING))

    async def first(self, fold_version: int) -> None:
        """Begin the first one, empty, which answers from now on; nothing where there is one."""
        async with self._postgres.transaction() as connection:
            number = await connection.fetchval(_BEGIN, fold_version)
            if await connection.execute(_FIRST, number) != "INSERT 0 1":
                await connection.execute(_RETIRE, number)

    async def begin(self, fold_version: int) -> Generation:
        """Begin another one beside the living, empty."""
        async with self._postgres.transaction() as connection:
            [row] = await connection.fetch(_BEGIN, fold_version)
            return Generation(*row)

    async def being_filled(self, fold_version: int, idle_s: float = 0.0) -> Generation | None:
        """One that was begun by this version and does not answer yet.

        Parameters
        ----------
        idle_s : only one that nobody has filled for so long.
        """
        async with self._postgres.connection() as connection:
            return _generation(await connection.fetchrow(_BEING_FILLED, fold_version, idle_s))

    async def swap(self, old: Generation, new: Generation) -> bool:
        """Let `new` answer in place of `old`, which is then removed.

        Returns
        -------
        False, and nothing has changed, where `new` is not as far, or `old` does not answer.
        """
        async with self._postgres.transaction() as connection:
            old_position = await connection.fetchval(_LOCK, old.number)
            new_position = await connection.fetchval(_LOCK, new.number)
            if old_position is None or new_position is None or new_position < old_position:
                return False
            if not await connection.fetchval(_TAKE_PLACE, old.number, new.number):
                return False
            await connection.execute(_RETIRE, old.number)
            return True

    async def retire_older(self, fold_version: int) -> None:
        """Give up what versions before this one began and never finished."""
        async with self._postgres.transaction() as connection:
            await connection.execute(_RETIRE_OLDER, fold_version)

    async def remove_some(self) -> bool:
        """Remove some rows of a generation that answers no more; whether there may be others."""
        async with self._postgres.transaction() as connection:
            number = await connection.fetchval(_RETIRED)
            if number is None:
                return False
            for delete in _REMOVE:
                if await connection.execute(delete, number, _REMOVED_AT_ONCE) != "DELETE 0":
                    return True
            await connection.execute(_FORGET, number)
            return True


def _generation(row: asyncpg.Record | None) -> Generation | None:
    return None if row is None else Generation(*row)

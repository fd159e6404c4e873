"""Filling one generation of the read models: batch after batch, each in one transaction."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aetherops.workflow.read_models.postgres.writing import (
    SUMMARY_COLUMNS,
    summary_row,
    write_folded,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from aetherops.connections.postgres import Postgres
    from aetherops.workflow.read_models.fold import Folded, SummaryFold
    from aetherops.workflow.read_models.postgres.generations import Generation
    from aetherops.workflow.read_models.rows import SummaryRow

__all__ = ["GenerationFiller"]

_EVENTS = """
SELECT position, workflow_id, version, kind, schema_version, occurred_us, recorded_us,
       CASE WHEN kind <> ALL ($3::text[]) THEN payload END
FROM workflow_event WHERE position > $1 ORDER BY position LIMIT $2
"""

_ROWS = f"""
SELECT {SUMMARY_COLUMNS} FROM workflow_summary
WHERE generation = $1 AND workflow_id = ANY ($2::text[])
"""  # noqa: S608 -- columns of ours

_PARKED = "SELECT workflow_id FROM workflow_parked WHERE generation = $1"

# Events that are read at once; several such pages may be written as one batch.
_PAGE = 10_000
# A fold of fewer events is done sooner than a thread is reached.
_INLINE_EVENTS = 200
# Rows that are kept between two batches, some 1 kB each.
_KEPT_ROWS = 50_000


class GenerationFiller:
    """Takes one generation further, and remembers its rows between two batches.

    Parameters
    ----------
    postgres : a migrated database.
    fold : from events to rows.
    generation : as it was read just now.
    """

    def __init__(self, postgres: Postgres, fold: SummaryFold, generation: Generation) -> None:
        self._postgres = postgres
        self._fold = fold
        self._rows: dict[str, SummaryRow] = {}
        self._parked: set[str] | None = None
        self.generation = generation
        #: Whether it may be asked again: not after an error, nor when another was faster.
        self.is_usable = True

    async def step(self, limit: int) -> Folded | None:
        """Take the next events in; None where there is none, or another was faster.

        Raises
        ------
        MissingEventError
            A position is missing: the store has broken its promise.
        UnavailableError
            The database is away, or cannot write.
        """
        try:
            folded = await self._step(limit)
        except BaseException:
            self.is_usable = False  # rows are ahead of what is stored
            raise
        if folded is not None:
            self.generation = self.generation._replace(position=folded.position)
            self._forget_rows()
        return folded

    async def _step(self, limit: int) -> Folded | None:
        number, after = self.generation.number, self.generation.position
        folded, known = await self._page(after, min(limit, _PAGE))
        if folded is None:
            return None
        while folded.count < limit and folded.count % _PAGE == 0:
            more, known_later = await self._page(folded.position, min(limit - folded.count, _PAGE))
            if more is None:
                break
            known |= known_later - folded.rows.keys()
            folded.follow(more)
        async with self._postgres.transaction() as connection:
            self.is_usable = await write_folded(connection, number, after, folded, known)
        return folded if self.is_usable else None

    async def _page(self, after: int, limit: int) -> tuple[Folded | None, set[str]]:
        """Fold the next events; with the ids of those that had a row before."""
        number = self.generation.number
        async with self._postgres.connection() as connection:
            if self._parked is None:
                self._parked = {row[0] for row in await connection.fetch(_PARKED, number)}
            events = await connection.fetch(_EVENTS, after, limit, self._fold.needless)
            if not events:
                return None, set()
            names = {event[1] for event in events}
            begun = {event[1] for event in events if event[2] == 1}
            if missing := list(names - begun - self._rows.keys()):
                for row in await connection.fetch(_ROWS, number, missing):
                    self._rows[row["workflow_id"]] = summary_row(dict(row))
        known = names & self._rows.keys()
        return await self._folded(after, events), known

    async def _folded(self, after: int, events: Sequence[asyncpg.Record]) -> Folded:
        assert self._parked is not None
        if len(events) <= _INLINE_EVENTS:
            return self._fold.take(after, events, self._rows, self._parked)
        return await asyncio.to_thread(self._fold.take, after, events, self._rows, self._parked)

    def _forget_rows(self) -> None:
        """Keep no more rows than there is room for; those at an end are the first to go."""
        if len(self._rows) > _KEPT_ROWS:
            self._rows = {name: row for name, row in self._rows.items() if not row.is_done}
        if len(self._rows) > _KEPT_ROWS:
            self._rows.clear()

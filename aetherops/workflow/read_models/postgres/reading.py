"""Questions to the read models on PostgreSQL."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from aetherops.errors import InvalidInputError
from aetherops.instants import from_us, to_us
from aetherops.workflow.read_models.ports import (
    WorkflowFacts,
    WorkflowPage,
    WorkflowSummary,
    checked_page,
)
from aetherops.workflow.read_models.postgres.writing import SUMMARY_COLUMNS, summary_row
from aetherops.workflow.read_models.rows import ParkedWorkflow
from aetherops.workflow.reading import checked_position

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    import asyncpg

    from aetherops.connections.postgres import Postgres
    from aetherops.workflow.read_models.ports import WorkflowQuery

__all__ = ["PostgresReadModel"]

_LIVING = """
SELECT g.generation, g.position
FROM workflow_living AS l JOIN workflow_generation AS g USING (generation)
WHERE l.model = 'workflows'
"""

_POSITION = f"SELECT position FROM ({_LIVING}) AS living"  # noqa: S608 -- a query of ours

# One statement sees one generation, and the position that belongs to its rows.
_SEARCH = f"""
SELECT living.position AS known, page.* FROM ({_LIVING}) AS living
LEFT JOIN LATERAL (
    SELECT {SUMMARY_COLUMNS} FROM workflow_summary
    WHERE generation = living.generation AND workflow_id > $1
      AND (cardinality($2::text[]) = 0 OR status = ANY ($2))
      AND ($3::text IS NULL OR owner = $3)
      AND ($4::text = '' OR (strpos(search_text, $4) > 0 AND strpos($4, E'\\n') = 0))
      AND ($5::bigint IS NULL OR created_us > $5)
      AND ($6::bigint IS NULL OR created_us < $6)
      AND ($7::bigint IS NULL OR (NOT is_done AND recorded_us < $7))
    ORDER BY workflow_id LIMIT $8
) AS page ON true
"""  # noqa: S608 -- queries of ours

# What each was: as it is now where it has been so since, else an interval that ended later.
_FLEET_PAGE = f"""
SELECT living.position AS known, page.* FROM ({_LIVING}) AS living
LEFT JOIN LATERAL (
    SELECT s.workflow_id, s.name, s.form, s.created_us, was.status, was.owner, was.paused
    FROM workflow_summary AS s
    CROSS JOIN LATERAL (
        SELECT s.status, s.owner, s.paused WHERE s.since_position <= $8
        UNION ALL
        (SELECT i.status, i.owner, i.paused FROM workflow_interval AS i
         WHERE s.since_position > $8 AND i.generation = living.generation
           AND i.workflow_id = s.workflow_id AND i.to_position > $8
         ORDER BY i.to_position LIMIT 1)
    ) AS was
    WHERE s.generation = living.generation AND s.workflow_id > $1 AND s.first_position <= $8
      AND (cardinality($2::text[]) = 0 OR was.status = ANY ($2))
      AND ($3::text IS NULL OR was.owner = $3)
      AND ($4::text = '' OR (strpos(s.search_text, $4) > 0 AND strpos($4, E'\\n') = 0))
      AND ($5::bigint IS NULL OR s.created_us > $5)
      AND ($6::bigint IS NULL OR s.created_us < $6)
    ORDER BY s.workflow_id LIMIT $7
) AS page ON true
"""  # noqa: S608 -- queries of ours

_LIVES = "(SELECT generation FROM workflow_living WHERE model = 'workflows')"

_FLEET = f"""
SELECT workflow_id, status, owner, paused FROM workflow_summary
WHERE generation = {_LIVES} AND since_position <= $1
UNION ALL
SELECT workflow_id, status, owner, paused FROM workflow_interval
WHERE generation = {_LIVES} AND to_position > $1 AND from_position <= $1
"""  # noqa: S608 -- queries of ours

_FLEET_AMONG = f"""
SELECT workflow_id, status, owner, paused FROM workflow_summary
WHERE generation = {_LIVES} AND since_position <= $1 AND workflow_id = ANY ($2::text[])
UNION ALL
SELECT workflow_id, status, owner, paused FROM workflow_interval
WHERE generation = {_LIVES} AND to_position > $1 AND from_position <= $1
  AND workflow_id = ANY ($2::text[])
"""  # noqa: S608 -- queries of ours

_COUNTS = f"SELECT status, count(*) FROM ({_FLEET}) AS fleet GROUP BY status"  # noqa: S608 -- ours

_UNKNOWN = f"""
SELECT workflow_id FROM workflow_summary
WHERE generation = {_LIVES} AND known_since_us IS NOT NULL AND first_position > $1
  AND created_us <= $2
ORDER BY workflow_id
"""  # noqa: S608 -- a query of ours

_PARKED = f"""
SELECT workflow_id, position, reason FROM workflow_parked
WHERE generation = {_LIVES} AND workflow_id > $1 ORDER BY workflow_id LIMIT $2
"""  # noqa: S608 -- a query of ours

_IN_NO_TEXT = re.compile("[\x00\ud800-\udfff]")

_FIRST_LOOK_S, _LAST_LOOK_S = 0.005, 0.1


class PostgresReadModel:
    """`WorkflowReadModel` over a migrated database that a projector fills."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def search(
        self, query: WorkflowQuery, *, first: int = 100, after: str = ""
    ) -> WorkflowPage:
        """See `WorkflowReadModel.search`."""
        rows = await self._page(
            _SEARCH, *_conditions(query, after), _us(query.quiet_since), checked_page(first) + 1
        )
        known, found = _split(rows)
        summaries = [summary_row(_without_known(row)).summary() for row in found]
        return WorkflowPage(summaries[:first], len(summaries) > first, known)

    async def fleet_at(
        self, position: int, query: WorkflowQuery, *, first: int = 100, after: str = ""
    ) -> WorkflowPage:
        """See `WorkflowReadModel.fleet_at`."""
        if query.quiet_since is not None:
            raise InvalidInputError("quiet_since", query.quiet_since, "none at an instant")
        position = checked_position(position, "position")
        rows = await self._page(
            _FLEET_PAGE, *_conditions(query, after), checked_page(first) + 1, position
        )
        known, found = _split(rows)
        summaries = [_as_of_then(row) for row in found]
        return WorkflowPage(summaries[:first], len(summaries) > first, min(position, known))

    async def position(self) -> int:
        """See `WorkflowReadModel.position`."""
        async with self._postgres.connection() as connection:
            return await connection.fetchval(_POSITION) or 0

    async def wait_until(self, position: int, timeout_s: float = 2.0) -> bool:
        """See `WorkflowReadModel.wait_until`."""
        loop = asyncio.get_running_loop()
        deadline, look_s = loop.time() + timeout_s, _FIRST_LOOK_S
        while await self.position() < position:
            rest_s = deadline - loop.time()
            if rest_s <= 0:
                return False
            await asyncio.sleep(min(look_s, rest_s))
            look_s = min(2 * look_s, _LAST_LOOK_S)
        return True

    async def facts_at(
        self, position: int, among: Collection[str] | None = None
    ) -> Sequence[WorkflowFacts]:
        """See `WorkflowReadModel.facts_at`."""
        position = checked_position(position, "position")
        async with self._postgres.connection() as connection:
            if among is None:
                rows = await connection.fetch(_FLEET, position)
            else:
                rows = await connection.fetch(_FLEET_AMONG, position, list(map(_sent, among)))
        return [WorkflowFacts._make(row) for row in rows]

    async def counts_at(self, position: int) -> Mapping[str, int]:
        """See `WorkflowReadModel.counts_at`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(_COUNTS, checked_position(position, "position"))
        return {row["status"]: row["count"] for row in rows}

    async def unknown_at(self, position: int, timestamp: datetime) -> Sequence[str]:
        """See `WorkflowReadModel.unknown_at`."""
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(_UNKNOWN, position, to_us(timestamp))
        return [row[0] for row in rows]

    async def parked(self, *, first: int = 100, after: str = "") -> Sequence[ParkedWorkflow]:
        """Workflows that stand still here, for an event of theirs cannot be read; by id.

        Parameters
        ----------
        first, after : as of `search`.
        """
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(_PARKED, _sent(after), checked_page(first))
        return [ParkedWorkflow._make(row) for row in rows]

    async def _page(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        async with self._postgres.connection() as connection:
            return await connection.fetch(sql, *arguments)


def _conditions(query: WorkflowQuery, after: str) -> tuple[object, ...]:
    return (
        _sent(after),
        sorted(map(_sent, query.statuses)),
        None if query.owner is None else _sent(query.owner),
        _sent(query.text.casefold()),
        _us(query.created_after),
        _us(query.created_before),
    )


def _sent(text: str) -> str:
    """The text as the database can take it: what no name has is like any other that none has."""
    return _IN_NO_TEXT.sub("\x01", text)


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)


def _as_of_then(row: asyncpg.Record) -> WorkflowSummary:
    _, workflow_id, name, form, created_us, status, owner, paused = row
    return WorkflowSummary(
        workflow_id, name, form, status, owner, paused, created_at=from_us(created_us)
    )


def _split(rows: Sequence[asyncpg.Record]) -> tuple[int, Sequence[asyncpg.Record]]:
    """How far the answer knows, and its rows: the first has none where nothing was found."""
    if not rows:
        return 0, []
    return rows[0]["known"], rows if rows[0]["workflow_id"] is not None else []


def _without_known(row: asyncpg.Record) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "known"}

"""Claims and heartbeats in PostgreSQL, by the clock of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.errors import InvalidInputError
from aetherops.workflow.checks import name_text
from aetherops.workflow.events.ids import uuid7
from aetherops.workflow.execution.leases import Claim

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from aetherops.connections.postgres import Postgres

__all__ = ["PostgresLeases"]

# Heartbeats of the long dead, and offers that came to nothing, are looked at after so long.
_FORGET = "DELETE FROM workflow_runner WHERE beat_at < clock_timestamp() - interval '1 day'"
_GRACE_S = 30
_PAGE = 10_000

_BEAT = """
INSERT INTO workflow_runner AS r (runner, name, lease_ms) VALUES ($1, $2, $3)
ON CONFLICT (runner) DO UPDATE SET beat_at = clock_timestamp() RETURNING beat_at
"""

_HOLD = """
UPDATE workflow_run AS r SET runner = $1, epoch = workflow_fence(r.workflow_id)
FROM picked WHERE r.workflow_id = picked.workflow_id
RETURNING r.workflow_id, r.epoch
"""

_CLAIM_ORPHANS = f"""
WITH picked AS MATERIALIZED (
    SELECT r.workflow_id FROM workflow_run AS r LEFT JOIN workflow_runner AS h USING (runner)
    WHERE r.runner IS NOT NULL AND r.definition = ANY($3) AND CASE
        WHEN r.runner = $1 THEN r.workflow_id <> ALL($4)
        ELSE h.runner IS NULL
            OR h.beat_at + h.lease_ms * interval '1 millisecond' < clock_timestamp() END
    LIMIT $2 FOR UPDATE OF r SKIP LOCKED
)
{_HOLD}
"""  # noqa: S608 -- words of ours

_CLAIM_DUE = f"""
WITH picked AS MATERIALIZED (
    SELECT r.workflow_id FROM workflow_run AS r
    WHERE r.runner IS NULL AND r.due_at <= clock_timestamp() AND r.definition = ANY($3)
    ORDER BY r.due_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
{_HOLD}
"""  # noqa: S608 -- words of ours

_RELEASE = """
UPDATE workflow_run SET runner = NULL, seen_position = $4,
    due_at = CASE WHEN woken_position > $4 THEN clock_timestamp() ELSE $5 END
WHERE workflow_id = $1 AND epoch = $2 AND runner = $3
"""
_FINISH = "DELETE FROM workflow_run WHERE workflow_id = $1 AND epoch = $2 AND runner = $3"

# By these somebody else changes a workflow that a runner executes.
_WAKING = [
    "approval.granted",
    "approval.refused",
    "artifact.attached",
    "step.completed",
    "step.failed",
    "timer.cancelled",
    "timer.set",
    "workflow.cancelled",
    "workflow.failed",
    "workflow.paused",
    "workflow.resumed",
]
_WAKER_TURN = "SELECT position FROM workflow_waker FOR UPDATE SKIP LOCKED"
_NEW = "SELECT max(position) FROM workflow_event WHERE position BETWEEN $1 + 1 AND $1 + $2"
_WAKE = """
UPDATE workflow_run AS r SET woken_position = e.position,
    due_at = CASE WHEN r.runner IS NULL THEN clock_timestamp() ELSE r.due_at END
FROM (
    SELECT workflow_id, max(position) AS position FROM workflow_event
    WHERE position BETWEEN $1 + 1 AND $2 AND kind = ANY($3) GROUP BY workflow_id
) AS e
WHERE r.workflow_id = e.workflow_id AND r.seen_position < e.position
"""
_WAKER_AT = "UPDATE workflow_waker SET position = $1"
_WOKEN = """
SELECT workflow_id, woken_position FROM workflow_run
WHERE runner = $1 AND woken_position > seen_position
"""

_OFFER = """
INSERT INTO workflow_run (workflow_id, definition, due_at)
VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second')
ON CONFLICT (workflow_id) DO NOTHING
"""
_HAS_EVENTS = "SELECT EXISTS (SELECT FROM workflow_event WHERE workflow_id = $1)"
_OFFERED = """
UPDATE workflow_run SET epoch = workflow_fence(workflow_id),
    due_at = clock_timestamp() + $2 * interval '1 second'
WHERE workflow_id = $1 RETURNING epoch
"""
# The row of this very offer: no other has no epoch.
_WITHDRAW = "DELETE FROM workflow_run WHERE workflow_id = $1 AND epoch = 0"
_MAKE_DUE = """
UPDATE workflow_run SET due_at = least(due_at, clock_timestamp())
WHERE workflow_id = $1 AND runner IS NULL
"""


class PostgresLeases:
    """The claims of one runner in PostgreSQL; see `Leases` for what each method does.

    Parameters
    ----------
    postgres : a migrated database, the one of the events.
    name : what operators know the runner by: its host and process.
    lease_s : the others take this runner for dead that long after its last beat.
    grace_s : what was offered and did not begin is looked at after so long.
    """

    def __init__(
        self, postgres: Postgres, name: str, lease_s: float = 10.0, *, grace_s: float = _GRACE_S
    ) -> None:
        if not 0.001 <= lease_s <= 86_400:
            raise InvalidInputError("lease_s", lease_s, "0.001 to 86400 seconds")
        self._postgres = postgres
        self._runner = uuid7()
        self._name = name_text(name, "name")
        self._lease_ms = round(lease_s * 1_000)
        self._grace_s = grace_s

    async def beat(self) -> datetime:
        """See `Leases.beat`."""
        async with self._postgres.writing() as connection:
            at: datetime = await connection.fetchval(
                _BEAT, self._runner, self._name, self._lease_ms
            )
        return at

    async def claim(
        self, most: int, definitions: Sequence[str], held: Collection[str]
    ) -> list[Claim]:
        """See `Leases.claim`."""
        async with self._postgres.writing() as connection:
            orphans = await connection.fetch(
                _CLAIM_ORPHANS, self._runner, most, definitions, list(held)
            )
            claims = [Claim(row["workflow_id"], row["epoch"], True) for row in orphans]
            if len(claims) < most:
                rows = await connection.fetch(
                    _CLAIM_DUE, self._runner, most - len(claims), definitions
                )
                claims += [Claim(row["workflow_id"], row["epoch"], False) for row in rows]
        return claims

    async def release(self, claim: Claim, due_at: datetime | None, position: int) -> None:
        """See `Leases.release`."""
        async with self._postgres.writing() as connection:
            await connection.execute(
                _RELEASE, claim.workflow_id, claim.epoch, self._runner, position, due_at
            )

    async def finish(self, claim: Claim) -> None:
        """See `Leases.finish`."""
        async with self._postgres.writing() as connection:
            await connection.execute(_FINISH, claim.workflow_id, claim.epoch, self._runner)

    async def wake(self) -> dict[str, int]:
        """See `Leases.wake`."""
        async with self._postgres.transaction() as connection:
            position = await connection.fetchval(_WAKER_TURN)
            # Another runner is at it where there is none.
            last = None
            if position is not None:
                last = await connection.fetchval(_NEW, position, _PAGE)
            if last is not None:
                await connection.execute(_WAKE, position, last, _WAKING)
                await connection.execute(_WAKER_AT, last)
            rows = await connection.fetch(_WOKEN, self._runner)
        return {row["workflow_id"]: row["woken_position"] for row in rows}

    async def leave(self) -> None:
        """See `Leases.leave`."""
        async with self._postgres.writing() as connection:
            await connection.execute("DELETE FROM workflow_runner WHERE runner = $1", self._runner)
            await connection.execute(_FORGET)

    async def offer(self, workflow_id: str, definition: str) -> int | None:
        """See `Leases.offer`."""
        async with self._postgres.transaction() as connection:
            await connection.execute(_OFFER, workflow_id, definition, self._grace_s)
            # Looked at after the row is ours or is there: nobody has begun it unseen.
            if await connection.fetchval(_HAS_EVENTS, workflow_id):
                await connection.execute(_WITHDRAW, workflow_id)
                return None
            epoch: int | None = await connection.fetchval(_OFFERED, workflow_id, self._grace_s)
            return epoch

    async def make_due(self, workflow_id: str) -> None:
        """See `Leases.make_due`."""
        async with self._postgres.writing() as connection:
            await connection.execute(_MAKE_DUE, workflow_id)

"""Appending to PostgreSQL: a batch is one call of one function, and one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aetherops.workflow.errors import ConcurrencyError, DuplicateEventError, FencedError
from aetherops.workflow.postgres.rows import COLUMNS, from_us, is_same, to_us

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import asyncpg

    from aetherops.connections.postgres import PostgresConnection
    from aetherops.workflow.appends import Append
    from aetherops.workflow.events.base import WorkflowEvent
    from aetherops.workflow.postgres.batching import Outcome

__all__ = ["append_batch"]

_APPEND = """
SELECT stored, known, actual_versions, actual_epochs, first_position, first_recorded_us
FROM workflow_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""

_BY_ID = f"SELECT {COLUMNS} FROM workflow_event WHERE event_id = ANY($1::uuid[])"  # noqa: S608


async def append_batch(connection: PostgresConnection, batch: Sequence[Append]) -> list[Outcome]:
    """Store a batch, and say what became of each append.

    The same batch may be sent again whether or not it was stored: an append that was is found by
    its event ids, and the call waits for one that is still under way.
    """
    answer = await connection.fetchrow(_APPEND, *_arguments(batch))
    assert answer is not None
    known = [append for append, is_known in zip(batch, answer["known"], strict=True) if is_known]
    rows = await _rows_by_id(connection, known) if known else {}
    position, recorded_us = answer["first_position"], answer["first_recorded_us"]
    outcomes: list[Outcome] = []
    for append, is_stored, is_known, version, epoch in zip(
        batch,
        answer["stored"],
        answer["known"],
        answer["actual_versions"],
        answer["actual_epochs"],
        strict=True,
    ):
        if is_stored:
            outcomes.append(_recorded(append, recorded_us, position))
            position += len(append.events)
            recorded_us += len(append.events)
        else:
            found = _found(append, rows) if is_known else None
            outcomes.append(found or _refusal(append, version, epoch))
    return outcomes


def _arguments(batch: Sequence[Append]) -> tuple[list[Any], ...]:
    """A line an append, then a line an event, column by column."""
    events = [event for append in batch for event in append.events]
    return (
        [append.workflow_id for append in batch],
        [append.expected_version for append in batch],
        [append.epoch for append in batch],
        [i for i, append in enumerate(batch, 1) for _ in append.events],
        [event.version for event in events],
        [event.event_id for event in events],
        [event.kind for event in events],
        [event.schema_version for event in events],
        [to_us(event.occurred_at) for event in events],
        [event.actor for event in events],
        [event.correlation_id for event in events],
        [event.causation_id for event in events],
        [payload for append in batch for payload in append.payloads],
    )


def _recorded(append: Append, first_us: int, first_position: int) -> list[WorkflowEvent]:
    return [
        event.recorded(from_us(first_us + i), first_position + i)
        for i, event in enumerate(append.events)
    ]


async def _rows_by_id(
    connection: PostgresConnection, appends: Sequence[Append]
) -> dict[UUID, asyncpg.Record]:
    ids = [event.event_id for append in appends for event in append.events]
    return {row["event_id"]: row for row in await connection.fetch(_BY_ID, ids)}


def _found(append: Append, rows: dict[UUID, asyncpg.Record]) -> Outcome | None:
    """What is stored where this very append was made before; None where a part of it is new."""
    found = [rows.get(event.event_id) for event in append.events]
    for row, event, payload in zip(found, append.events, append.payloads, strict=True):
        if row is not None and not is_same(row, event, payload):
            return DuplicateEventError(event.event_id)
    stored = [row for row in found if row is not None]
    if len(stored) < len(found):
        return None
    return [
        event.recorded(from_us(row["recorded_us"]), row["position"])
        for event, row in zip(append.events, stored, strict=True)
    ]


def _refusal(append: Append, version: int, epoch: int) -> Exception:
    if append.epoch is not None and append.epoch != epoch:
        return FencedError(append.workflow_id, append.epoch, epoch)
    return ConcurrencyError(append.workflow_id, append.expected_version, version)

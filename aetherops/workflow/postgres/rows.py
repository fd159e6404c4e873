"""Rows of ``workflow_event``, and the events that they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aetherops.workflow.events.codec import EventCodec

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from aetherops.workflow.events.base import WorkflowEvent

__all__ = ["COLUMNS", "events_of", "from_us", "is_same", "to_us"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

#: Of the table, in the order that `events_of` takes them.
COLUMNS = (
    "kind, schema_version, payload, workflow_id, version, event_id, occurred_us, actor, "
    "correlation_id, causation_id, recorded_us, position"
)


def to_us(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The instant so many microseconds after 1970."""
    return _EPOCH + timedelta(0, 0, us)


def events_of(codec: EventCodec, rows: Iterable[asyncpg.Record]) -> list[WorkflowEvent]:
    """The events of rows, in their order.

    Raises
    ------
    UnreadableEventError
        This version cannot read one of them.
    """
    decode, epoch, delta = codec.decode, _EPOCH, timedelta
    # One loop without a call a row: this is half of what reading a long history takes.
    return [
        decode(
            kind,
            schema_version,
            payload,
            {
                "workflow_id": workflow_id,
                "version": version,
                "event_id": event_id,
                "occurred_at": epoch + delta(0, 0, occurred_us),
                "actor": actor,
                "correlation_id": correlation_id,
                "causation_id": causation_id,
                "recorded_at": epoch + delta(0, 0, recorded_us),
                "position": position,
            },
        )
        for (
            kind,
            schema_version,
            payload,
            workflow_id,
            version,
            event_id,
            occurred_us,
            actor,
            correlation_id,
            causation_id,
            recorded_us,
            position,
        ) in rows
    ]


def is_same(row: asyncpg.Record, event: WorkflowEvent, payload: bytes) -> bool:
    """Whether this very event is what the row keeps."""
    return tuple(row)[:10] == (
        event.kind,
        event.schema_version,
        payload,
        event.workflow_id,
        event.version,
        event.event_id,
        to_us(event.occurred_at),
        event.actor,
        event.correlation_id,
        event.causation_id,
    )

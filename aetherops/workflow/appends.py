"""What every event store checks of an append before it looks at what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.workflow.events.base import WorkflowEvent, require_event
from aetherops.workflow.events.codec import EventCodec
from aetherops.workflow.store import MAX_EVENTS_AT_ONCE

__all__ = ["Append", "checked_append"]


@dataclass(frozen=True, slots=True)
class Append:
    """Events of one workflow that are stored together or not at all.

    Parameters
    ----------
    workflow_id : whose.
    expected_version : the version that it is to have before.
    epoch : the holder's, or None.
    events : at least one, with the versions that follow.
    payloads : of each, as stored.
    """

    workflow_id: str
    expected_version: int
    epoch: int | None
    events: Sequence[WorkflowEvent]
    payloads: Sequence[bytes]

    @property
    def size(self) -> int:
        """Bytes of all payloads."""
        return sum(map(len, self.payloads))


def checked_append(
    codec: EventCodec,
    events: Sequence[WorkflowEvent],
    expected_version: int | None,
    epoch: int | None,
) -> Append:
    """An append that any store may take; see `EventStore.append_many` for what is raised."""
    if not events:
        raise InvalidInputError("events", events, "at least one event")
    if len(events) > MAX_EVENTS_AT_ONCE:
        raise LimitExceededError("events in one append", MAX_EVENTS_AT_ONCE, len(events))
    first = require_event(events[0])
    for i, event in enumerate(events):
        _require_next(first, i, require_event(event))
    if len({event.event_id for event in events}) < len(events):
        raise InvalidInputError("events", events, "each event once")
    payloads = [codec.encode(event) for event in events]
    expected = first.version - 1 if expected_version is None else expected_version
    _require_count("expected_version", expected, 0)
    if epoch is not None:
        _require_count("epoch", epoch, 1)
    if expected != first.version - 1:
        raise InvalidInputError(
            "events[0].version", first.version, f"{expected + 1}, after the expected version"
        )
    return Append(first.workflow_id, expected, epoch, events, payloads)


def _require_next(first: WorkflowEvent, i: int, event: WorkflowEvent) -> None:
    if event.workflow_id != first.workflow_id:
        raise InvalidInputError(f"events[{i}].workflow_id", event.workflow_id, first.workflow_id)
    if event.version != first.version + i:
        raise InvalidInputError(f"events[{i}].version", event.version, str(first.version + i))


def _require_count(field: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
        raise InvalidInputError(field, value, f"a whole number from {least}")

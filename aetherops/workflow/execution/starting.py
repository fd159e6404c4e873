"""Beginning a workflow that is to be executed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.workflow.checks import name_text
from aetherops.workflow.errors import ConcurrencyError
from aetherops.workflow.events import kinds
from aetherops.workflow.events.ids import uuid7
from aetherops.workflow.json_values import FrozenDict

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from aetherops.workflow.execution.definition import WorkflowDefinition
    from aetherops.workflow.execution.leases import Leases
    from aetherops.workflow.json_values import JsonValue
    from aetherops.workflow.state import WorkflowState
    from aetherops.workflow.store import EventStore

__all__ = ["DEFINITION", "definition_key", "start_workflow"]

#: The key of the artifact that says which definition a workflow began with.
DEFINITION = "aetherops.definition"


async def start_workflow(
    store: EventStore,
    leases: Leases,
    definition: WorkflowDefinition,
    *,
    actor: str,
    now: Callable[[], datetime],
    workflow_id: str | None = None,
    owner: str | None = None,
    input: JsonValue = None,  # noqa: A002 (the name of the event's field)
    event_id: UUID | None = None,
    correlation_id: UUID | None = None,
    causation_id: UUID | None = None,
) -> str:
    """Begin a workflow, and return its id; some runner executes it.

    Made again with the same id, it begins nothing twice.

    Parameters
    ----------
    store, leases : where events and claims are kept.
    definition : what to execute, to its end whatever versions come later.
    actor : who wants it.
    now : the clock of what occurs, UTC-aware.
    workflow_id : a new one where not given.
    owner, input : as `WorkflowCreated` has them.
    event_id, correlation_id, causation_id : of that event.

    Raises
    ------
    ConcurrencyError
        There is a workflow of this id.
    FencedError
        The same id was begun by somebody else meanwhile, or this took too long.
    UnavailableError
        A server is away; whether it began is unknown.
    """
    workflow_id = str(uuid7()) if workflow_id is None else name_text(workflow_id, "workflow_id")
    at = now()
    events = [
        kinds.WorkflowCreated(
            workflow_id,
            event_id=event_id or uuid7(),
            occurred_at=at,
            actor=actor,
            correlation_id=correlation_id,
            causation_id=causation_id,
            name=definition.name,
            owner=owner,
            input=input,
        ),
        kinds.ArtifactAttached(
            workflow_id,
            2,
            occurred_at=at,
            actor=actor,
            correlation_id=correlation_id,
            causation_id=causation_id,
            key=DEFINITION,
            value=FrozenDict(name=definition.name, version=definition.version),
        ),
    ]
    epoch = await leases.offer(workflow_id, definition.key)
    if epoch is None:
        # It may be that the one who began it could not say so.
        await leases.make_due(workflow_id)
        stored = await store.get_events(workflow_id)
        raise ConcurrencyError(workflow_id, 0, len(stored))
    try:
        await store.append_many(events, expected_version=0, epoch=epoch)
    finally:
        # Also where another one began it: the note may be the only one that there is.
        await leases.make_due(workflow_id)
    return workflow_id


def definition_key(state: WorkflowState) -> str | None:
    """Of the definition that a workflow began with; None where it is not one to execute."""
    match state.artifacts.get(DEFINITION):
        case {"name": str(name), "version": int(version)}:
            return f"{name}:{version}"
    return None

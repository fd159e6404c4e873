"""Deciding on what is, appending what follows, and deciding again where another was first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from aetherops.workflow import (
    ConcurrencyError,
    DuplicateEventError,
    IllegalMoveError,
    WorkflowEvent,
    WorkflowNotFoundError,
    WorkflowProjection,
    WorkflowState,
    uuid7,
)
from aetherops.workflow.rules import apply_allowed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from aetherops.services.workflows.cause import Cause
    from aetherops.workflow import EventStore

__all__ = ["Decide", "Decided", "Deciding"]

#: A kind of event, and what it says.
Decided: TypeAlias = tuple[type[WorkflowEvent], dict[str, Any]]
#: Takes the state that is, and says what is to follow; raises where nothing may.
Decide: TypeAlias = Callable[[WorkflowState], Decided]

_TRIES = 8


class Deciding:
    """Appends one event to a workflow, as its state allows.

    Parameters
    ----------
    store : where the events are.
    now : the clock of what occurs, UTC-aware.
    """

    def __init__(self, store: EventStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def begin(self, workflow_id: str, cause: Cause, decide: Decide) -> WorkflowState:
        """Append the first event; see `go_on`."""
        return await self._append(workflow_id, cause, decide, begins=True)

    async def go_on(self, workflow_id: str, cause: Cause, decide: Decide) -> WorkflowState:
        """Append the next event, and return the state that it leads to.

        Raises
        ------
        WorkflowNotFoundError
            There is no such workflow.
        IllegalMoveError
            Its state does not allow it.
        ConcurrencyError
            It has another version than the cause expects, or others were first each time.
        DuplicateEventError
            The cause's event id is that of an event which says something else.
        """
        return await self._append(workflow_id, cause, decide, begins=False)

    async def _append(
        self, workflow_id: str, cause: Cause, decide: Decide, *, begins: bool
    ) -> WorkflowState:
        # One id for all tries: an append whose answer was lost is found again as its own.
        event_id = cause.event_id or uuid7()
        tries = _TRIES if cause.expected_version is None else 1
        while True:
            tries -= 1
            events = await self._store.get_events(workflow_id)
            if _has(events, event_id):
                return self._made_before(events, event_id, decide)
            _require_version(workflow_id, events, cause.expected_version)
            projection = WorkflowProjection().apply_many(events)
            event = self._event(workflow_id, projection.state, cause, event_id, decide, begins)
            after = apply_allowed(projection, event)
            try:
                await self._store.append(event)
            except ConcurrencyError:
                if not tries:
                    raise
            else:
                return after

    def _event(
        self,
        workflow_id: str,
        state: WorkflowState,
        cause: Cause,
        event_id: UUID,
        decide: Decide,
        begins: bool,
    ) -> WorkflowEvent:
        if not begins and not state.version:
            raise WorkflowNotFoundError(workflow_id)
        kind, payload = decide(state)
        if begins and state.version:
            raise IllegalMoveError(workflow_id, "begin it again", state.status, ())
        return kind(
            workflow_id,
            state.version + 1,
            event_id=event_id,
            occurred_at=self._now(),
            actor=cause.actor,
            correlation_id=cause.correlation_id,
            causation_id=cause.causation_id,
            **payload,
        )

    def _made_before(
        self, events: Sequence[WorkflowEvent], event_id: UUID, decide: Decide
    ) -> WorkflowState:
        """The state after the event with this id, if it says what is decided now."""
        i = next(i for i, event in enumerate(events) if event.event_id == event_id)
        before = WorkflowProjection.of(events[:i])
        kind, payload = decide(before)
        made = events[i]
        if type(made) is not kind or any(made.payload[name] != payload[name] for name in payload):
            raise DuplicateEventError(event_id)
        return WorkflowProjection(before).apply(made).state


def _has(events: Sequence[WorkflowEvent], event_id: UUID) -> bool:
    return any(event.event_id == event_id for event in events)


def _require_version(
    workflow_id: str, events: Sequence[WorkflowEvent], expected: int | None
) -> None:
    if expected is not None and expected != len(events):
        raise ConcurrencyError(workflow_id, expected, len(events))

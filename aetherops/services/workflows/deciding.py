"""Deciding on what is, appending what follows, and deciding again where another was first."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from aetherops.workflow import (
    ConcurrencyError,
    DuplicateEventError,
    FencedError,
    IllegalMoveError,
    WorkflowEvent,
    WorkflowNotFoundError,
    WorkflowProjection,
    WorkflowState,
    uuid7,
)
from aetherops.workflow.rules import BEGUN_ALREADY, apply_allowed

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from aetherops.services.workflows.cause import Cause
    from aetherops.services.workflows.reading import ReadsStates
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
    states : reads states sooner than by folding all events.
    """

    def __init__(
        self, store: EventStore, now: Callable[[], datetime], states: ReadsStates | None = None
    ) -> None:
        self._store = store
        self._now = now
        self._states = states

    async def begin(
        self, workflow_id: str, cause: Cause, decide: Decide, *, takes_over: bool = False
    ) -> WorkflowState:
        """Append the first event; see `go_on`.

        Parameters
        ----------
        takes_over : under an epoch begun for it: whoever was at the same may append no more, and
            is told so by `FencedError`.
        """
        return await self._append(workflow_id, cause, decide, begins=True, takes_over=takes_over)

    async def go_on(self, workflow_id: str, cause: Cause, decide: Decide) -> WorkflowState:
        """Append the next event, and return the state that it leads to.

        Raises
        ------
        WorkflowNotFoundError
            There is no such workflow.
        IllegalMoveError
            Its state does not allow it.
        LimitExceededError
            The workflow would hold more than one may; see `workflow.room`.
        ConcurrencyError
            It has another version than the cause expects, or others were first each time.
        DuplicateEventError
            The cause's event id is that of an event which says something else.
        """
        return await self._append(workflow_id, cause, decide, begins=False)

    async def _append(
        self,
        workflow_id: str,
        cause: Cause,
        decide: Decide,
        *,
        begins: bool,
        takes_over: bool = False,
    ) -> WorkflowState:
        # One id for all tries: the store knows an append again whose answer was lost.
        event_id = cause.event_id or uuid7()
        tries = _TRIES if cause.expected_version is None else 1
        while True:
            tries -= 1
            try:
                return await self._try(workflow_id, cause, event_id, decide, begins, takes_over)
            except (IllegalMoveError, ConcurrencyError, DuplicateEventError, FencedError) as error:
                # Made before, it is refused now: what it led to is the answer.
                if (made := await self._made_before(workflow_id, cause, decide)) is not None:
                    return made
                if not isinstance(error, ConcurrencyError) or not tries:
                    raise

    async def _try(
        self,
        workflow_id: str,
        cause: Cause,
        event_id: UUID,
        decide: Decide,
        begins: bool,
        takes_over: bool,
    ) -> WorkflowState:
        projection = await self._projection(workflow_id)
        _require_version(workflow_id, projection.version, cause.expected_version)
        event = self._event(workflow_id, projection.state, cause, event_id, decide, begins)
        after = apply_allowed(projection, event)
        # The event is checked by now: what is refused takes nothing over.
        epoch = await self._store.fence(workflow_id) if takes_over else None
        await self._store.append(event, epoch=epoch)
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
            raise IllegalMoveError(
                workflow_id,
                "begin it again",
                state.status,
                (),
                BEGUN_ALREADY,
            )
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

    async def _projection(self, workflow_id: str) -> WorkflowProjection:
        if self._states is not None:
            return await self._states.projection(workflow_id)
        return await self._store.replay(workflow_id, WorkflowProjection())

    async def _made_before(
        self, workflow_id: str, cause: Cause, decide: Decide
    ) -> WorkflowState | None:
        """The state after the event that the cause names; None where there is none of it.

        Raises `DuplicateEventError` where it says something else than is decided now.
        """
        if cause.event_id is None:
            return None
        events = await self._store.get_events(workflow_id)
        i = next((i for i, event in enumerate(events) if event.event_id == cause.event_id), None)
        if i is None:
            return None
        before, made = WorkflowProjection.of(events[:i]), events[i]
        kind, payload = decide(before)
        if type(made) is not kind or _said(made) != _said(
            kind(workflow_id, made.version, **payload)
        ):
            raise DuplicateEventError(cause.event_id)
        return WorkflowProjection(before).apply(made).state


def _said(event: WorkflowEvent) -> str:
    """What an event says, as text: to Python 1, true and 1.0 are equal."""
    return json.dumps(event.payload, sort_keys=True, default=str)


def _require_version(workflow_id: str, actual: int, expected: int | None) -> None:
    if expected is not None and expected != actual:
        raise ConcurrencyError(workflow_id, expected, actual)

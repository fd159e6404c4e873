"""What may be wanted of workflows: a command appends one event, or raises and appends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aetherops.errors import InvalidInputError
from aetherops.services.workflows.deciding import Decide, Decided, Deciding
from aetherops.workflow import STAGES, STATES, WorkflowEvent, WorkflowState, uuid7
from aetherops.workflow.events import kinds
from aetherops.workflow.rules import end_kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aetherops.services.workflows.cause import Cause
    from aetherops.services.workflows.reading import ReadsStates
    from aetherops.workflow import EventStore
    from aetherops.workflow.json_values import JsonValue

__all__ = ["WorkflowCommands"]


def _says(kind: type[WorkflowEvent], **payload: Any) -> Decide:
    """The same event in every state."""
    return lambda _: (kind, payload)


class WorkflowCommands:
    """Changes workflows, as their states and the rights of whoever wants it allow.

    Every command loads the state, decides, and appends with the version it decided on; where
    another event was first it decides again, a few times. It returns the state that its event leads
    to, and raises what `Deciding.go_on` raises; `InvalidInputError` names a field that is wrong.

    Parameters
    ----------
    store : where the events are.
    now : the clock of what occurs, UTC-aware.
    states : reads states sooner than by folding all events.
    """

    def __init__(
        self, store: EventStore, now: Callable[[], datetime], states: ReadsStates | None = None
    ) -> None:
        self._deciding = Deciding(store, now, states)

    async def create(
        self,
        cause: Cause,
        workflow_id: str | None = None,
        *,
        name: str = "workflow",
        owner: str | None = None,
        form: str = "workflow",
        input: JsonValue = None,  # noqa: A002 (the name of the event's field)
    ) -> WorkflowState:
        """Begin a workflow; its id is a new one where none is given."""
        decide = _says(kinds.WorkflowCreated, name=name, owner=owner, form=form, input=input)
        return await self._deciding.begin(_id_or_new(workflow_id), cause, decide)

    async def capture(
        self, cause: Cause, workflow_id: str, state: JsonValue, *, source: str = "unknown"
    ) -> WorkflowState:
        """Begin the events of a workflow that has lived without them, from its state as JSON.

        Under an epoch begun for it, as `migrate_captured` does: a capture that was paused on the
        way is fenced off by the next one, and told so by `FencedError`.
        """
        said = state.get("workflow_id", workflow_id) if isinstance(state, dict) else workflow_id
        if said != workflow_id:
            raise InvalidInputError(
                "state.workflow_id", said, f"that of the workflow, {workflow_id}"
            )
        decide = _says(kinds.SnapshotTaken, state=state, source=source)
        return await self._deciding.begin(workflow_id, cause, decide, takes_over=True)

    async def move(
        self, cause: Cause, workflow_id: str, target: str, *, reason: str = ""
    ) -> WorkflowState:
        """Move it to another of `STATES`; a move to an end gives its reason as that end has it."""
        if target not in STATES:
            raise InvalidInputError("target", target, f"one of {', '.join(STATES)}")
        return await self._deciding.go_on(
            workflow_id, cause, lambda state: _moved(state, target, reason)
        )

    async def complete(
        self, cause: Cause, workflow_id: str, *, result: JsonValue = None
    ) -> WorkflowState:
        """End it well."""
        decide = _says(kinds.WorkflowCompleted, result=result)
        return await self._deciding.go_on(workflow_id, cause, decide)

    async def fail(self, cause: Cause, workflow_id: str, *, error: str = "") -> WorkflowState:
        """End it badly."""
        decide = _says(kinds.WorkflowFailed, error=error)
        return await self._deciding.go_on(workflow_id, cause, decide)

    async def cancel(self, cause: Cause, workflow_id: str, *, reason: str = "") -> WorkflowState:
        """End it because somebody wants so."""
        decide = _says(kinds.WorkflowCancelled, reason=reason)
        return await self._deciding.go_on(workflow_id, cause, decide)

    async def pause(self, cause: Cause, workflow_id: str, *, reason: str = "") -> WorkflowState:
        """Let no further step begin."""
        decide = _says(kinds.WorkflowPaused, reason=reason)
        return await self._deciding.go_on(workflow_id, cause, decide)

    async def resume(self, cause: Cause, workflow_id: str, *, reason: str = "") -> WorkflowState:
        """Let steps begin again."""
        decide = _says(kinds.WorkflowResumed, reason=reason)
        return await self._deciding.go_on(workflow_id, cause, decide)

    async def assign(self, cause: Cause, workflow_id: str, owner: str) -> WorkflowState:
        """Let another answer for it."""
        decide = _says(kinds.OwnerAssigned, owner=owner)
        return await self._deciding.go_on(workflow_id, cause, decide)

    async def change_stage(self, cause: Cause, workflow_id: str, target: str) -> WorkflowState:
        """Take a mission to the next of `STAGES`, or back to the one before."""
        if target not in STAGES:
            raise InvalidInputError("target", target, f"one of {', '.join(STAGES)}")
        return await self._deciding.go_on(
            workflow_id, cause, lambda state: _stage_changed(state, target)
        )

    async def request_approval(
        self,
        cause: Cause,
        workflow_id: str,
        approval: str,
        *,
        role: str = "operator",
        until: datetime | None = None,
    ) -> WorkflowState:
        """Ask for a word: until it is given, the workflow does not go on."""
        decide = _says(kinds.ApprovalRequested, approval=approval, role=role, until=until)
        return await self._deciding.go_on(workflow_id, cause, decide)

    async def grant_approval(
        self, cause: Cause, workflow_id: str, approval: str, *, comment: str = ""
    ) -> WorkflowState:
        """Say yes, in the role whose word it takes; raises `ForbiddenError` in another."""
        decide = _says(kinds.ApprovalGranted, approval=approval, comment=comment)
        return await self._deciding.go_on(workflow_id, cause, _in_role(cause, approval, decide))

    async def refuse_approval(
        self, cause: Cause, workflow_id: str, approval: str, *, comment: str = ""
    ) -> WorkflowState:
        """Say no, in the role whose word it takes; raises `ForbiddenError` in another."""
        decide = _says(kinds.ApprovalRefused, approval=approval, comment=comment)
        return await self._deciding.go_on(workflow_id, cause, _in_role(cause, approval, decide))

    async def start_step(
        self,
        cause: Cause,
        workflow_id: str,
        step: str,
        *,
        executor: str | None = None,
        input: JsonValue = None,  # noqa: A002 (the name of the event's field)
    ) -> WorkflowState:
        """Begin the next attempt at a step."""

        def decide(state: WorkflowState) -> Decided:
            attempt = _attempts(state, step) + 1
            return kinds.StepStarted, {
                "step": step,
                "attempt": attempt,
                "executor": executor,
                "input": input,
            }

        return await self._deciding.go_on(workflow_id, cause, decide)

    async def complete_step(
        self,
        cause: Cause,
        workflow_id: str,
        step: str,
        *,
        attempt: int | None = None,
        result: JsonValue = None,
    ) -> WorkflowState:
        """End an attempt well: the last one where none is named."""

        def decide(state: WorkflowState) -> Decided:
            number = max(_attempts(state, step), 1) if attempt is None else attempt
            return kinds.StepCompleted, {"step": step, "attempt": number, "result": result}

        return await self._deciding.go_on(workflow_id, cause, decide)

    async def fail_step(
        self,
        cause: Cause,
        workflow_id: str,
        step: str,
        *,
        attempt: int | None = None,
        error: str = "",
        retry_at: datetime | None = None,
    ) -> WorkflowState:
        """End an attempt badly: the last one where none is named."""

        def decide(state: WorkflowState) -> Decided:
            number = max(_attempts(state, step), 1) if attempt is None else attempt
            return kinds.StepFailed, {
                "step": step,
                "attempt": number,
                "error": error,
                "retry_at": retry_at,
            }

        return await self._deciding.go_on(workflow_id, cause, decide)

    async def attach(
        self, cause: Cause, workflow_id: str, key: str, value: JsonValue
    ) -> WorkflowState:
        """Put something to it under a key; given again, the later one counts."""
        decide = _says(kinds.ArtifactAttached, key=key, value=value)
        return await self._deciding.go_on(workflow_id, cause, decide)

    async def set_timer(
        self, cause: Cause, workflow_id: str, timer: str, due_at: datetime
    ) -> WorkflowState:
        """Let something happen later; set again, it replaces the one before."""
        decide = _says(kinds.TimerSet, timer=timer, due_at=due_at)
        return await self._deciding.go_on(workflow_id, cause, decide)

    async def fire_timer(self, cause: Cause, workflow_id: str, timer: str) -> WorkflowState:
        """Say that its time has come; raises `IllegalMoveError` before it has."""
        decide = _says(kinds.TimerFired, timer=timer)
        return await self._deciding.go_on(workflow_id, cause, decide)

    async def cancel_timer(self, cause: Cause, workflow_id: str, timer: str) -> WorkflowState:
        """Let nothing happen any more."""
        decide = _says(kinds.TimerCancelled, timer=timer)
        return await self._deciding.go_on(workflow_id, cause, decide)


def _id_or_new(workflow_id: str | None) -> str:
    return str(uuid7()) if workflow_id is None else workflow_id


def _attempts(state: WorkflowState, step: str) -> int:
    """The number of the last attempt at a step; 0 before the first."""
    found = state.steps.get(step)
    return found.attempts[-1].number if found else 0


def _moved(state: WorkflowState, target: str, reason: str) -> Decided:
    kind = end_kind(target)
    if kind is None:
        return kinds.WorkflowMoved, {"source": state.status, "target": target, "reason": reason}
    if kind is kinds.WorkflowCompleted:
        return kind, {"result": reason or None}
    return kind, {"error" if kind is kinds.WorkflowFailed else "reason": reason}


def _stage_changed(state: WorkflowState, target: str) -> Decided:
    advances = STAGES.index(target) > state.stage_index
    kind = kinds.StageAdvanced if advances else kinds.StageRolledBack
    return kind, {"source": STAGES[state.stage_index], "target": target}


def _in_role(cause: Cause, approval: str, decide: Decide) -> Decide:
    """The same decision, of those alone whose word an approval takes."""

    def decided(state: WorkflowState) -> Decided:
        asked = state.approvals.get(approval)
        if asked is not None:
            cause.require_role(asked.role)
        return decide(state)

    return decided

"""What may happen to a workflow next: the rules that commands enforce before they append.

The fold knows which events are regular, and lists the others; here those are refused, with what
would have been allowed. Some rules are of commands alone: work goes on only once every approval
that was asked for is granted, no word is given after its time, no timer fires before its own, no
word is asked for after the end, and only missions have stages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from aetherops.workflow.errors import IllegalMoveError
from aetherops.workflow.events import kinds
from aetherops.workflow.events.base import WorkflowEvent
from aetherops.workflow.projection.projection import WorkflowProjection
from aetherops.workflow.room import require_room
from aetherops.workflow.state import WorkflowState
from aetherops.workflow.states import STAGES, TRANSITIONS, is_terminal_state

__all__ = ["BEGUN_ALREADY", "apply_allowed", "end_kind", "may_follow"]

#: Why nothing begins a workflow again.
BEGUN_ALREADY = "it exists already, and an id is used once"

#: The ends of a workflow have kinds of events of their own.
_END_KINDS: dict[str, type[WorkflowEvent]] = {
    "completed": kinds.WorkflowCompleted,
    "failed": kinds.WorkflowFailed,
    "cancelled": kinds.WorkflowCancelled,
}

#: With these the work goes on; a move to another end does not take it on.
_GOES_ON = (
    kinds.WorkflowMoved,
    kinds.StepStarted,
    kinds.WorkflowCompleted,
    kinds.StageAdvanced,
)


_OF_MISSIONS = (kinds.StageAdvanced, kinds.StageRolledBack)


def end_kind(target: str) -> type[WorkflowEvent] | None:
    """The kind of event that ends a workflow in this state; None where it is no end."""
    return _END_KINDS.get(target)


def may_follow(state: WorkflowState, kind: type[WorkflowEvent]) -> bool:
    """Whether no word that was asked for keeps this kind of event from following a state."""
    return not (issubclass(kind, _GOES_ON) and _not_granted(state))


def apply_allowed(projection: WorkflowProjection, event: WorkflowEvent) -> WorkflowState:
    """The state after an event that is to be appended.

    Parameters
    ----------
    projection : of everything before it; of no use any more where an error is raised.

    Raises
    ------
    IllegalMoveError
        The rules do not allow it; the error says what they allow.
    LimitExceededError
        The workflow would hold too much; see `require_room`.
    """
    before = projection.state
    after = projection.apply(event).state
    if len(after.irregular) > len(before.irregular):
        raise _illegal(before, event, _alternatives(before, event))
    if not may_follow(before, type(event)):
        raise _illegal(before, event, [f"grant {name}" for name in _not_granted(before)])
    if isinstance(event, _OF_MISSIONS) and before.form != "mission":
        raise _illegal(before, event, [], "it is no mission, and has no stages")
    if isinstance(event, kinds.ApprovalRequested) and is_terminal_state(before.status):
        raise _illegal(before, event, [])
    if isinstance(event, kinds.ApprovalGranted) and _is_late(before, event):
        raise _illegal(before, event, [f"refuse {event.approval}, and ask again"])
    if isinstance(event, kinds.TimerFired) and event.occurred_at < before.timers[event.timer]:
        due = before.timers[event.timer].isoformat()
        raise _illegal(before, event, [f"fire it from {due} on", f"cancel timer {event.timer}"])
    require_room(after, event)
    return after


def _illegal(
    state: WorkflowState, event: WorkflowEvent, allowed: Sequence[str], why: str = ""
) -> Exception:
    status = f"{state.status}, paused" if state.paused else state.status
    return IllegalMoveError(
        state.workflow_id or event.workflow_id,
        _asked(event),
        status,
        allowed,
        why or ("it has ended" if is_terminal_state(state.status) else _WHY[type(event)]),
    )


def _not_granted(state: WorkflowState) -> list[str]:
    return [one.name for one in state.approvals.values() if one.status != "granted"]


def _is_late(state: WorkflowState, event: kinds.ApprovalGranted) -> bool:
    until = state.approvals[event.approval].until
    return until is not None and event.occurred_at > until


def _asked(event: WorkflowEvent) -> str:
    """What the event says, as what somebody wants."""
    return _ASKED.get(type(event), lambda one: f"record {one.kind}")(event)


def _alternatives(state: WorkflowState, event: WorkflowEvent) -> list[str]:
    """What may happen in this state instead of an event that may not."""
    alternatives = _ALTERNATIVES.get(type(event))
    return alternatives(state, event) if alternatives else []


def _moves(state: WorkflowState, _: object) -> list[str]:
    return [f"move to {target}" for target in TRANSITIONS[state.status]]


def _pause_or_resume(state: WorkflowState, _: object) -> list[str]:
    if is_terminal_state(state.status):
        return []
    return ["resume"] if state.paused else ["pause"]


def _starts(state: WorkflowState, event: kinds.StepStarted) -> list[str]:
    if is_terminal_state(state.status):
        return []
    step = state.steps.get(event.step)
    if step is not None and step.status == "completed":
        return []
    if step is not None and step.status == "running":
        return _ends(state, event)
    start = f"start attempt {len(step.attempts) + 1 if step else 1} at {event.step}"
    return ["resume"] if state.paused else [start]


def _ends(state: WorkflowState, event: kinds.StepStarted) -> list[str]:
    return [
        f"complete or fail attempt {step.attempts[-1].number} at {step.name}"
        for step in state.steps.values()
        if step.status == "running" and (step.name == event.step or event.kind != "step.started")
    ]


def _answers(state: WorkflowState, _: object) -> list[str]:
    waiting = [one.name for one in state.approvals.values() if one.status == "requested"]
    return [f"{verb} {name}" for name in waiting for verb in ("grant", "refuse")]


def _cancellations(state: WorkflowState, _: object) -> list[str]:
    return [f"cancel timer {name}" for name in state.timers]


def _stages(state: WorkflowState, _: object) -> list[str]:
    i = state.stage_index
    forward = [f"advance to {STAGES[i + 1]}"] if i + 1 < len(STAGES) else []
    return forward + ([f"roll back to {STAGES[i - 1]}"] if i else [])


_ASKED: dict[type[WorkflowEvent], Callable[[Any], str]] = {
    kinds.WorkflowCreated: lambda _: "create it",
    kinds.SnapshotTaken: lambda _: "capture it",
    kinds.WorkflowMoved: lambda one: f"move to {one.target}",
    kinds.WorkflowCompleted: lambda _: "move to completed",
    kinds.WorkflowFailed: lambda _: "move to failed",
    kinds.WorkflowCancelled: lambda _: "move to cancelled",
    kinds.WorkflowPaused: lambda _: "pause",
    kinds.WorkflowResumed: lambda _: "resume",
    kinds.StepStarted: lambda one: f"start attempt {one.attempt} at {one.step}",
    kinds.StepCompleted: lambda one: f"complete attempt {one.attempt} at {one.step}",
    kinds.StepFailed: lambda one: f"fail attempt {one.attempt} at {one.step}",
    kinds.ApprovalRequested: lambda one: f"ask for {one.approval}",
    kinds.ApprovalGranted: lambda one: f"grant {one.approval}",
    kinds.ApprovalRefused: lambda one: f"refuse {one.approval}",
    kinds.TimerSet: lambda one: f"set timer {one.timer}",
    kinds.TimerFired: lambda one: f"fire timer {one.timer}",
    kinds.TimerCancelled: lambda one: f"cancel timer {one.timer}",
    kinds.StageAdvanced: lambda one: f"advance to {one.target}",
    kinds.StageRolledBack: lambda one: f"roll back to {one.target}",
}

#: Why nothing may happen instead, where the work has not ended.
_WHY: dict[type[WorkflowEvent], str] = defaultdict(
    lambda: "this state does not allow it",
    {
        kinds.WorkflowCreated: BEGUN_ALREADY,
        kinds.SnapshotTaken: BEGUN_ALREADY,
        kinds.StepStarted: "a step that was completed is not started again",
        kinds.StepCompleted: "no step is running",
        kinds.StepFailed: "no step is running",
        kinds.ApprovalGranted: "no approval waits for an answer",
        kinds.ApprovalRefused: "no approval waits for an answer",
        kinds.TimerFired: "no timer is set",
        kinds.TimerCancelled: "no timer is set",
    },
)

_ALTERNATIVES: dict[type[WorkflowEvent], Callable[[WorkflowState, Any], list[str]]] = {
    kinds.WorkflowMoved: _moves,
    kinds.WorkflowCompleted: _moves,
    kinds.WorkflowFailed: _moves,
    kinds.WorkflowCancelled: _moves,
    kinds.WorkflowPaused: _pause_or_resume,
    kinds.WorkflowResumed: _pause_or_resume,
    kinds.StepStarted: _starts,
    kinds.StepCompleted: _ends,
    kinds.StepFailed: _ends,
    kinds.ApprovalRequested: _answers,
    kinds.ApprovalGranted: _answers,
    kinds.ApprovalRefused: _answers,
    kinds.TimerCancelled: _cancellations,
    kinds.TimerFired: _cancellations,
    kinds.StageAdvanced: _stages,
    kinds.StageRolledBack: _stages,
}

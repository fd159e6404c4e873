"""Steps that wait: for the word of operators, for a time, for something from outside."""

from __future__ import annotations

from datetime import timedelta

from aetherops.workflow.events import kinds
from aetherops.workflow.execution.definition import Approval, Delay, Signal, StepDefinition, Task
from aetherops.workflow.execution.turn import Turn
from aetherops.workflow.state import Approval as ApprovalState

__all__ = ["begin_waiting", "look_at_waiting"]


def begin_waiting(turn: Turn, step: StepDefinition) -> None:
    """The step begins: it asks, or sets its timer."""
    turn.say(kinds.StepStarted, step=step.name, executor=turn.actor)
    if isinstance(step, Delay):
        due_at = turn.now + timedelta(seconds=step.wait_s)
        turn.say(kinds.TimerSet, timer=step.name, due_at=due_at)
    elif isinstance(step, Approval):
        for vote in step.votes:
            _ask(turn, step, vote)


def look_at_waiting(turn: Turn) -> None:
    """End the steps whose waiting is over, and note when the others' will be."""
    for name, step in turn.steps.items():
        if turn.status(name) != "running" or isinstance(step, Task):
            continue
        if isinstance(step, Delay):
            _look_at_delay(turn, step)
        elif isinstance(step, Approval):
            _look_at_approval(turn, step)
        else:
            _look_at_signal(turn, step)


def _look_at_delay(turn: Turn, step: Delay) -> None:
    # A timer that somebody cancelled is over.
    due_at = turn.state.timers.get(step.name, turn.now)
    if due_at > turn.now:
        turn.wait_until(due_at)
        return
    if step.name in turn.state.timers:
        turn.say(kinds.TimerFired, timer=step.name)
    _complete(turn, step.name)


def _look_at_approval(turn: Turn, step: Approval) -> None:
    approvals = turn.state.approvals
    votes = [approvals[name] for name in step.votes if name in approvals]
    for vote in votes:
        if vote.status == "refused":
            _fail(turn, step.name, f"refused by {vote.decided_by}: {vote.comment}".rstrip(": "))
            return
    voters: set[str | None] = {turn.requested_by}
    for vote in votes:
        if vote.status != "granted":
            continue
        if vote.decided_by in voters or _is_late(vote):
            # The word of who asked, a second one, and one that came too late say nothing.
            _ask(turn, step, vote.name)
        voters.add(vote.decided_by)
    voters.discard(turn.requested_by)
    if len(voters) >= step.quorum and all(
        turn.state.approvals[name].status == "granted" for name in step.votes
    ):
        _complete(turn, step.name, {"granted_by": sorted(filter(None, voters))})
        return
    _fail_when_over(turn, step.name, step.within_s, "not granted in time")


def _look_at_signal(turn: Turn, step: Signal) -> None:
    if step.key in turn.state.artifacts:
        _complete(turn, step.name, turn.state.artifacts[step.key])
    else:
        _fail_when_over(turn, step.name, step.within_s, f"nothing came as {step.key} in time")


def _ask(turn: Turn, step: Approval, vote: str) -> None:
    until = None
    if step.within_s is not None:
        until = turn.started_at(step.name) + timedelta(seconds=step.within_s)
    turn.say(kinds.ApprovalRequested, approval=vote, role=step.role, until=until)


def _is_late(vote: ApprovalState) -> bool:
    return vote.until is not None and vote.decided_at is not None and vote.decided_at > vote.until


def _fail_when_over(turn: Turn, name: str, within_s: float | None, error: str) -> None:
    if within_s is None:
        return
    until = turn.started_at(name) + timedelta(seconds=within_s)
    if until > turn.now:
        turn.wait_until(until)
    else:
        _fail(turn, name, error)


def _complete(turn: Turn, name: str, result: object = None) -> None:
    turn.say(kinds.StepCompleted, step=name, result=result)


def _fail(turn: Turn, name: str, error: str) -> None:
    turn.say(kinds.StepFailed, step=name, error=error)

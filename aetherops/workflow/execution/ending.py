"""How workflows end: well with the results of their last steps, badly after making up for some."""

from __future__ import annotations

from aetherops.workflow.events import kinds
from aetherops.workflow.execution.definition import UNDO, Task
from aetherops.workflow.execution.turn import PASSED_OVER, Turn
from aetherops.workflow.state import Step

__all__ = ["end_badly", "failure", "fold_up"]

#: What steps fail of that waited when another one failed.
LEFT = "left, as another step failed"


def failure(turn: Turn) -> Step | None:
    """The step that failed for good, where one did."""
    for name in turn.steps:
        step = turn.state.steps.get(name)
        if step is None or step.status != "failed":
            continue
        last = step.attempts[-1]
        if last.retry_at is None and last.error != LEFT:
            return step
    return None


def fold_up(turn: Turn) -> None:
    """Complete the workflow where every step is; its result is that of the steps none waits for."""
    if not all(turn.status(name) == "completed" for name in turn.steps):
        return
    waited_for = {name for step in turn.steps.values() for name in step.after}
    last = {name: turn.state.steps[name].result for name in turn.steps if name not in waited_for}
    turn.say(kinds.WorkflowCompleted, result=last)


def end_badly(turn: Turn) -> None:
    """Begin no step any more; make up for what was done, last first; then fail."""
    for name in turn.steps:
        if turn.status(name) == "running" and not turn.is_task(name):
            if name in turn.state.timers:
                turn.say(kinds.TimerCancelled, timer=name)
            turn.say(kinds.StepFailed, step=name, error=LEFT)
    if any(one.status == "running" and turn.is_task(one.name) for one in turn.state.steps.values()):
        return  # handlers are at work, or a compensation is
    failed_undo = []
    for step in _to_undo(turn):
        name = UNDO + step.name
        if turn.status(name) == "none" or turn.may_try_again(name):
            turn.start_task(name)
            return
        if turn.status(name) == "failed":
            if turn.state.steps[name].attempts[-1].retry_at is not None:
                return  # its next attempt is waited for
            failed_undo.append(step.name)
    _say_failed(turn, failed_undo)


def _to_undo(turn: Turn) -> list[Step]:
    """The completed steps that have a compensation, the last one first."""
    done = []
    for name, step in turn.steps.items():
        state = turn.state.steps.get(name)
        if state is None or state.status != "completed":
            continue
        if isinstance(step, Task) and step.undo is not None and state.result != PASSED_OVER:
            done.append(state)
    return sorted(done, key=lambda one: one.attempts[-1].ended_at or turn.now)[::-1]


def _say_failed(turn: Turn, failed_undo: list[str]) -> None:
    step = failure(turn)
    assert step is not None
    error = f"step {step.name}: {step.attempts[-1].error}"
    if failed_undo:
        error += f"; not undone: {', '.join(failed_undo)}"
    turn.say(kinds.WorkflowFailed, error=error)

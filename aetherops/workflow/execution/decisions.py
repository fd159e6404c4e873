"""What a workflow does next: a pure function of its definition, its state and the time.

Nothing here waits, calls or stores: `decide` returns the events to append and until when there is
nothing to do. Whoever appends them first has decided; everybody else reads on and decides again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from aetherops.workflow.events import kinds
from aetherops.workflow.events.base import WorkflowEvent
from aetherops.workflow.execution.definition import Task, WorkflowDefinition
from aetherops.workflow.execution.ending import end_badly, failure, fold_up
from aetherops.workflow.execution.handlers import Failed, Outcome
from aetherops.workflow.execution.turn import Turn
from aetherops.workflow.execution.waiting import begin_waiting, look_at_waiting
from aetherops.workflow.projection.projection import WorkflowProjection
from aetherops.workflow.state import WorkflowState
from aetherops.workflow.states import shortest_path

__all__ = ["LOST", "MOST_LOST", "Decision", "decide"]

#: What an attempt failed of whose runner died, or was taken for dead.
LOST = "its runner was lost"
#: A step that loses so many runners is taken for the cause, and fails.
MOST_LOST = 20


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do next.

    Parameters
    ----------
    events : to append, all at once, before anything else; the attempts that start with them are to
        be performed once they are stored.
    due_at : when to decide again; None where only an event from outside, or an attempt in hand,
        changes anything.
    is_done : whether the workflow is at its end.
    """

    events: tuple[WorkflowEvent, ...]
    due_at: datetime | None
    is_done: bool

    @property
    def starts(self) -> list[kinds.StepStarted]:
        """The attempts that begin."""
        return [one for one in self.events if isinstance(one, kinds.StepStarted)]


def decide(
    definition: WorkflowDefinition,
    state: WorkflowState,
    now: datetime,
    *,
    actor: str,
    requested_by: str | None = None,
    in_hand: Collection[str] = (),
    outcomes: Mapping[str, Outcome] | None = None,
    may_start: bool = True,
) -> Decision:
    """What to append to a workflow in this state.

    Parameters
    ----------
    definition : that the workflow began with.
    state : after its last event.
    now : the time.
    actor : who decides: the runner.
    requested_by : who began the workflow, and has no word in its approvals.
    in_hand : steps that handlers of this runner are at; others that run were lost.
    outcomes : of steps whose handlers have ended.
    may_start : whether attempts may begin; what has ended is recorded either way.
    """
    turn = Turn(definition, WorkflowProjection(state), now, actor, requested_by)
    if not turn.state.is_done:
        _record(turn, outcomes or {})
        _record_lost(turn, {*in_hand, *(outcomes or {})})
    if may_start and not turn.state.paused:
        while not turn.state.is_done and _go_on(turn):
            pass
    return Decision(tuple(turn.events), turn.due_at, turn.state.is_done)


def _record(turn: Turn, outcomes: Mapping[str, Outcome]) -> None:
    """The ends of attempts that this runner made."""
    for name, outcome in outcomes.items():
        step = turn.state.steps[name]
        number = step.attempts[-1].number
        if isinstance(outcome, Failed):
            failures = 1 + sum(
                one.status == "failed" and one.error != LOST for one in step.attempts
            )
            wait = None if outcome.is_final else turn.retries(name).wait_after(failures)
            retry_at = None if wait is None else turn.now + wait
            turn.say(
                kinds.StepFailed, step=name, attempt=number, error=outcome.error, retry_at=retry_at
            )
        else:
            turn.say(kinds.StepCompleted, step=name, attempt=number, result=outcome.result)


def _record_lost(turn: Turn, held: Collection[str]) -> None:
    """Attempts that began under a runner before: their end nobody can tell."""
    for step in list(turn.state.steps.values()):
        if step.status != "running" or step.name in held or not turn.is_task(step.name):
            continue
        lost = 1 + sum(one.error == LOST for one in step.attempts)
        retry_at = turn.now if lost < MOST_LOST else None
        number = step.attempts[-1].number
        turn.say(kinds.StepFailed, step=step.name, attempt=number, error=LOST, retry_at=retry_at)


def _go_on(turn: Turn) -> bool:
    """Say what follows from the state now; whether something did."""
    said = len(turn.events)
    turn.due_at = None
    _come_to_execute(turn)
    if failure(turn) is not None:
        end_badly(turn)
    else:
        look_at_waiting(turn)
        for step in turn.ready():
            if turn.passes_over(step):
                continue
            if isinstance(step, Task):
                turn.start_task(step.name)
            else:
                begin_waiting(turn, step)
        fold_up(turn)
    return len(turn.events) > said


def _come_to_execute(turn: Turn) -> None:
    """The way of states up to the one in which steps are done."""
    way = shortest_path(turn.state.status, "executing") or []
    for source, target in pairwise(way):
        turn.say(kinds.WorkflowMoved, source=source, target=target)

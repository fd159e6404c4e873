"""What a workflow does next, as a fold: no server, no handler, no waiting."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aetherops.workflow import WorkflowProjection, WorkflowState
from aetherops.workflow.events import kinds
from aetherops.workflow.events.base import WorkflowEvent
from aetherops.workflow.execution import (
    Approval,
    Delay,
    Failed,
    Retries,
    Signal,
    StepDefinition,
    Succeeded,
    Task,
    WorkflowDefinition,
    decide,
)
from aetherops.workflow.execution.decisions import LOST, MOST_LOST
from aetherops.workflow.execution.handlers import Outcome

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def task(name: str, *after: str, **options: Any) -> Task:
    return Task(name=name, after=after, handler="do", **options)


@dataclass
class Run:
    """A workflow whose events are folded here, and whose time passes when it is told to."""

    steps: list[StepDefinition]
    now: datetime = BEGAN
    in_hand: set[str] = field(default_factory=set)
    due_at: datetime | None = None

    def __post_init__(self) -> None:
        self.definition = WorkflowDefinition("test", 1, self.steps)
        self._projection = WorkflowProjection()
        self.tell(kinds.WorkflowCreated, actor="ana")

    @property
    def state(self) -> WorkflowState:
        return self._projection.state

    def status(self, name: str) -> str:
        return self.state.steps[name].status

    def tell(self, kind: type[WorkflowEvent], **payload: Any) -> None:
        """Somebody else's event."""
        version = self._projection.version + 1
        self._projection.apply(kind("w", version=version, occurred_at=self.now, **payload))

    def go(self, may_start: bool = True, **outcomes: Outcome) -> list[str]:
        """Decide with these ends of handlers; the kinds and steps of what is said."""
        self.in_hand -= set(outcomes)
        decision = decide(
            self.definition,
            self.state,
            self.now,
            actor="runner",
            requested_by="ana",
            in_hand=self.in_hand,
            outcomes=outcomes,
            may_start=may_start,
        )
        self._projection.apply_many(decision.events)
        self.in_hand |= {one.step for one in decision.starts if self.status(one.step) == "running"}
        self.due_at = decision.due_at
        assert not self.state.irregular
        return [
            f"{event.kind} {getattr(event, 'step', '')}".strip()
            for event in decision.events
            if event.kind != "workflow.moved"
        ]

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


OK = Succeeded(None)


def test_independent_steps_begin_together_and_others_after_what_they_wait_for() -> None:
    run = Run([task("c", "a", "b"), task("a"), task("b")])
    assert run.go() == ["step.started a", "step.started b"]
    assert run.go(a=OK) == ["step.completed a"]
    assert run.go(b=OK) == ["step.completed b", "step.started c"]
    assert run.go(c=Succeeded(7)) == ["step.completed c", "workflow.completed"]
    assert run.state.status == "completed"
    assert run.state.result == {"c": 7}


def test_the_same_state_says_the_same_again() -> None:
    run = Run([task("a")])
    run.go()
    assert run.go() == []


def test_a_failed_attempt_is_made_again_when_its_time_has_come() -> None:
    run = Run([task("a", retries=Retries(attempts=3, first_s=10))])
    run.go()
    assert run.go(a=Failed("no")) == ["step.failed a"]
    assert run.due_at == run.now + timedelta(seconds=10)
    run.later(9.9)
    assert run.go() == []
    run.later(0.1)
    assert run.go() == ["step.started a"]
    assert run.go(a=Failed("no")) == ["step.failed a"]
    assert run.due_at == run.now + timedelta(seconds=20)
    run.later(20)
    run.go()
    assert run.go(a=Failed("never")) == ["step.failed a", "workflow.failed"]
    assert run.state.error == "step a: never"
    assert [one.number for one in run.state.steps["a"].attempts] == [1, 2, 3]


def test_a_failure_that_says_it_is_final_is_not_tried_again() -> None:
    run = Run([task("a", retries=Retries(attempts=3))])
    run.go()
    assert run.go(a=Failed("no", is_final=True)) == ["step.failed a", "workflow.failed"]


def test_an_attempt_whose_runner_was_lost_is_made_again_and_not_counted() -> None:
    run = Run([task("a")])
    run.go()
    run.in_hand.clear()
    assert run.go() == ["step.failed a", "step.started a"]
    assert run.state.steps["a"].attempts[0].error == LOST
    assert run.go(a=OK) == ["step.completed a", "workflow.completed"]


def test_a_step_that_loses_runner_after_runner_fails() -> None:
    run = Run([task("a")])
    run.go()
    for _ in range(MOST_LOST):
        assert run.state.status == "executing"
        run.in_hand.clear()
        run.go()
    assert run.state.status == "failed"
    assert len(run.state.steps["a"].attempts) == MOST_LOST


def test_nothing_begins_beside_a_failure_and_what_is_in_hand_may_end() -> None:
    run = Run([task("a"), task("b"), task("c", "b")])
    run.go()
    assert run.go(a=Failed("no")) == ["step.failed a"]
    assert run.go(b=OK) == ["step.completed b", "workflow.failed"]


def test_what_was_done_is_undone_the_last_first() -> None:
    run = Run([task("a", undo="un"), task("b", "a", undo="un"), task("c", "b")])
    run.go()
    for name in "ab":
        run.later(1)
        run.go(**{name: OK})
    assert run.go(c=Failed("no")) == ["step.failed c", "step.started undo b"]
    assert run.go(**{"undo b": OK}) == ["step.completed undo b", "step.started undo a"]
    assert run.go(**{"undo a": OK}) == ["step.completed undo a", "workflow.failed"]


def test_a_compensation_that_fails_is_named_and_the_others_are_done() -> None:
    run = Run([task("a", undo="un"), task("b", "a", undo="un"), task("c", "b")])
    run.go()
    run.later(1)
    run.go(a=OK)
    run.later(1)
    run.go(b=OK)
    run.go(c=Failed("no"))
    assert run.go(**{"undo b": Failed("stuck")}) == ["step.failed undo b", "step.started undo a"]
    run.go(**{"undo a": OK})
    assert run.state.error == "step c: no; not undone: b"


def test_a_step_whose_condition_is_false_is_passed_over_and_not_undone() -> None:
    run = Run(
        [
            task("a"),
            task("b", "a", when=lambda results: results["a"] == "go", undo="un"),
            task("c", "b"),
        ]
    )
    run.go()
    assert run.go(a=Succeeded("no-go")) == [
        "step.completed a",
        "step.started b",
        "step.completed b",
        "step.started c",
    ]
    assert run.in_hand == {"c"}
    assert run.go(c=Failed("no")) == ["step.failed c", "workflow.failed"]


def test_a_condition_that_raises_fails_its_step() -> None:
    run = Run([task("a", when=lambda results: bool(results["other"]))])
    assert run.go() == ["step.started a", "step.failed a", "workflow.failed"]
    assert run.state.error == "step a: its condition raised KeyError"


def test_a_paused_workflow_records_what_ends_and_begins_nothing() -> None:
    run = Run([task("a"), task("b", "a")])
    run.go()
    run.tell(kinds.WorkflowPaused)
    assert run.go(a=OK) == ["step.completed a"]
    run.tell(kinds.WorkflowResumed)
    assert run.go() == ["step.started b"]


def test_a_runner_that_drains_records_what_ends_and_begins_nothing() -> None:
    run = Run([task("a"), task("b", "a")])
    run.go()
    assert run.go(may_start=False, a=OK) == ["step.completed a"]


def test_time_passes_over_a_delay() -> None:
    run = Run([Delay(name="wait", wait_s=60), task("a", "wait")])
    assert run.go() == ["step.started wait", "timer.set"]
    assert run.due_at == BEGAN + timedelta(seconds=60)
    run.later(60)
    assert run.go() == ["timer.fired", "step.completed wait", "step.started a"]


def test_a_signal_is_waited_for_and_is_the_result() -> None:
    run = Run([Signal(name="pass", key="aos", within_s=60), task("a", "pass")])
    run.go()
    run.tell(kinds.ArtifactAttached, key="other", value=1)
    assert run.go() == []
    run.tell(kinds.ArtifactAttached, key="aos", value="12:04")
    assert run.go() == ["step.completed pass", "step.started a"]
    assert run.state.steps["pass"].result == "12:04"


def test_a_signal_that_does_not_come_in_time_fails_its_step() -> None:
    run = Run([Signal(name="pass", key="aos", within_s=60)])
    run.go()
    run.later(60)
    assert run.go() == ["step.failed pass", "workflow.failed"]


def test_an_approval_takes_another_operators_word() -> None:
    run = Run([Approval(name="go", role="flight"), task("burn", "go")])
    assert run.go() == ["step.started go", "approval.requested"]
    assert run.state.approvals["go"].role == "flight"
    run.tell(kinds.ApprovalGranted, approval="go", actor="ana")
    assert run.go() == ["approval.requested"]  # hers says nothing: she asked
    run.tell(kinds.ApprovalGranted, approval="go", actor="ben")
    assert run.go() == ["step.completed go", "step.started burn"]
    assert run.state.steps["go"].result == {"granted_by": ["ben"]}


def test_a_quorum_takes_words_of_different_operators() -> None:
    run = Run([Approval(name="go", quorum=2)])
    run.go()
    run.tell(kinds.ApprovalGranted, approval="go/1", actor="ben")
    assert run.go() == []
    run.tell(kinds.ApprovalGranted, approval="go/2", actor="ben")
    assert run.go() == ["approval.requested"]
    assert run.state.approvals["go/2"].status == "requested"
    run.tell(kinds.ApprovalGranted, approval="go/2", actor="cem")
    assert run.go() == ["step.completed go", "workflow.completed"]
    assert run.state.result == {"go": {"granted_by": ["ben", "cem"]}}


def test_one_no_ends_an_approval() -> None:
    run = Run([Approval(name="go", quorum=2)])
    run.go()
    run.tell(kinds.ApprovalRefused, approval="go/2", actor="ben", comment="too much wind")
    assert run.go() == ["step.failed go", "workflow.failed"]
    assert run.state.error == "step go: refused by ben: too much wind"


def test_an_approval_that_is_not_granted_in_time_fails() -> None:
    run = Run([Approval(name="go", within_s=60)])
    run.go()
    assert run.due_at == BEGAN + timedelta(seconds=60)
    run.later(61)
    run.tell(kinds.ApprovalGranted, approval="go", actor="ben")  # too late
    assert "workflow.failed" in run.go()
    assert run.state.error == "step go: not granted in time"


def test_a_word_in_time_counts_also_where_the_runner_is_late() -> None:
    run = Run([Approval(name="go", within_s=60)])
    run.go()
    run.later(59)
    run.tell(kinds.ApprovalGranted, approval="go", actor="ben")
    run.later(600)
    assert run.go() == ["step.completed go", "workflow.completed"]


def test_steps_that_wait_are_left_where_another_fails() -> None:
    run = Run([task("a"), Delay(name="wait", wait_s=60), Signal(name="pass", key="aos")])
    run.go()
    assert run.go(a=Failed("no")) == [
        "step.failed a",
        "timer.cancelled",
        "step.failed wait",
        "step.failed pass",
        "workflow.failed",
    ]
    assert run.state.error == "step a: no"


def test_a_workflow_that_somebody_ended_is_left_alone() -> None:
    run = Run([task("a")])
    run.go()
    run.tell(kinds.WorkflowFailed, error="enough")
    assert run.go(a=OK) == []

"""What two states of a workflow differ in."""

from __future__ import annotations

from datetime import UTC, datetime

from aetherops.workflow import (
    ArtifactAttached,
    StepFailed,
    StepStarted,
    WorkflowCreated,
    WorkflowMoved,
    WorkflowProjection,
)
from aetherops.workflow.differences import Difference, differences

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
BEGUN = WorkflowCreated("burn-7", occurred_at=NOON)


def after(*events):
    """What the last of these events changed, by path."""
    before = WorkflowProjection.of([BEGUN, *events[:-1]])
    found = differences(before, WorkflowProjection.of([BEGUN, *events]))
    return {one.path: (one.before, one.after) for one in found}


def test_nothing_differs_in_equal_states():
    state = WorkflowProjection.of([BEGUN])
    assert differences(state, state) == []


def test_a_move_changes_status_and_history():
    moved = WorkflowMoved("burn-7", 2, source="created", target="validated", occurred_at=NOON)
    before, now = WorkflowProjection.of([BEGUN]), WorkflowProjection.of([BEGUN, moved])
    assert differences(before, now) == [
        Difference("status", "created", "validated"),
        Difference("history[1]", None, "validated"),
    ]


def test_objects_and_lists_are_compared_item_by_item():
    started = StepStarted("burn-7", 2, step="ignite", occurred_at=NOON)
    assert list(after(started)) == ["steps.ignite"], "what is new is told whole"
    failed = StepFailed("burn-7", 3, step="ignite", error="cold", occurred_at=NOON)
    assert after(started, failed) == {
        "steps.ignite.status": ("running", "failed"),
        "steps.ignite.attempts[0].status": ("running", "failed"),
        "steps.ignite.attempts[0].ended_at": (None, NOON.isoformat()),
        "steps.ignite.attempts[0].error": (None, "cold"),
    }


def test_values_of_different_types_are_told_whole():
    first = ArtifactAttached("burn-7", 2, key="plan", value={"dv": 1})
    second = ArtifactAttached("burn-7", 3, key="plan", value=[1])
    assert after(first, second) == {"artifacts.plan": ({"dv": 1}, [1])}


def test_what_is_equal_in_python_alone_is_told():
    values = (1, True, 1.0)
    events = [ArtifactAttached("burn-7", i, key="k", value=v) for i, v in enumerate(values, 2)]
    assert after(*events) == {"artifacts.k": (True, 1.0)}
    assert repr(after(*events[:2])) == "{'artifacts.k': (1, True)}"


def test_an_entry_that_is_null_is_another_than_none():
    assert after(ArtifactAttached("burn-7", 2, key="z", value=None)) == {
        "artifacts.z": (None, None)
    }


def test_before_a_workflow_there_was_nothing_not_even_defaults():
    assert differences(None, WorkflowProjection.of([BEGUN])) == [
        Difference("name", None, "workflow"),
        Difference("form", None, "workflow"),
        Difference("status", None, "created"),
        Difference("history[0]", None, "created"),
        Difference("created_at", None, NOON.isoformat()),
    ]

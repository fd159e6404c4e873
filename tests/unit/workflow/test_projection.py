"""The fold from events to state."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from aetherops.workflow import (
    MemoryEventStore,
    SnapshotTaken,
    StepCompleted,
    StepStarted,
    WorkflowCompleted,
    WorkflowCreated,
    WorkflowEvent,
    WorkflowMoved,
    WorkflowProjection,
    state_from_json,
    state_to_json,
)
from aetherops.workflow.states import shortest_path


def _a_whole_life() -> list[WorkflowEvent]:
    way = shortest_path("created", "executing")
    assert way is not None
    events: list[WorkflowEvent] = [WorkflowCreated("burn-7", name="orbit-raise", owner="ann")]
    for source, target in itertools.pairwise(way):
        events.append(WorkflowMoved("burn-7", len(events) + 1, source=source, target=target))
    events.append(StepStarted("burn-7", len(events) + 1, step="ignite"))
    events.append(StepCompleted("burn-7", len(events) + 1, step="ignite", result={"dv": 1.5}))
    events.append(WorkflowCompleted("burn-7", len(events) + 1, result="in orbit"))
    return events


async def test_stored_events_fold_into_the_state_that_they_say() -> None:
    store = MemoryEventStore()
    await store.append_many(_a_whole_life())
    state = WorkflowProjection.of(await store.get_events("burn-7"))
    assert (state.status, state.owner, state.result) == ("completed", "ann", "in orbit")
    assert state.history == tuple(shortest_path("created", "completed") or ())
    assert state.steps["ignite"].result == {"dv": 1.5}
    assert state.irregular == ()
    assert state.progress_pct == 100.0


def test_a_state_is_the_same_from_any_cut_and_through_json() -> None:
    events = _a_whole_life()
    whole = WorkflowProjection.of(events)
    for cut in range(1, len(events)):
        before = WorkflowProjection.of(events[:cut])
        read_back = state_from_json(state_to_json(before))
        assert read_back == before
        assert WorkflowProjection(read_back).apply_many(events[cut:]).state == whole


def test_an_event_that_the_rules_do_not_allow_counts_and_is_listed() -> None:
    state = WorkflowProjection.of([WorkflowCreated("w"), WorkflowCompleted("w", 2)])
    assert (state.status, state.irregular) == ("completed", (2,))


def test_a_captured_workflow_is_as_old_as_it_says_or_as_its_capture() -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    captured = SnapshotTaken("w", state={"workflow_id": "w"}, source="x", occurred_at=at)
    state = WorkflowProjection.of([captured])
    assert (state.created_at, state.updated_at, state.known_since) == (at, at, at)

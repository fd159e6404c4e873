"""What was asked of events and their store, sentence by sentence; the rest has tests of its own."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta

import pytest

from aetherops.errors import InvalidInputError
from aetherops.workflow import (
    ConcurrencyError,
    EventStore,
    MemoryEventStore,
    SnapshotTaken,
    StepCompleted,
    StepStarted,
    WorkflowCreated,
    WorkflowMoved,
    WorkflowProjection,
    state_to_json,
)


@pytest.fixture
def clock():
    """Turned a minute by every look at it."""
    instants = iter(datetime(2026, 1, 31, 12, tzinfo=UTC) + timedelta(minutes=i) for i in range(99))
    return lambda: next(instants)


@pytest.fixture
def store(clock) -> MemoryEventStore:
    return MemoryEventStore(now=clock)


async def test_event_store_interface_with_append_get_events_and_get_events_since(store):
    for name in ("append", "get_events", "get_events_since"):
        assert inspect.iscoroutinefunction(getattr(EventStore, name))

    created = await store.append(WorkflowCreated("burn-7"))
    moved = WorkflowMoved("burn-7", 2, source="created", target="validated")
    moved = await store.append(moved, expected_version=1)
    other = await store.append(WorkflowCreated("dock-1"))

    assert await store.get_events("burn-7") == [created, moved]
    assert await store.get_events("burn-7", after=1) == [moved]
    assert await store.get_events("burn-7", until=created.recorded_at) == [created]
    assert await store.get_events("nobody") == []
    assert await store.get_events_since(created.recorded_at) == [moved, other], "strictly later"
    assert [event.position for event in (created, moved, other)] == [1, 2, 3]


async def test_the_same_event_again_is_no_second_one_and_a_wrong_version_names_the_actual(store):
    created = WorkflowCreated("burn-7")
    first, again = await store.append(created), await store.append(created)
    assert (first.position, again.position) == (1, 1)
    with pytest.raises(ConcurrencyError) as refused:
        await store.append(StepStarted("burn-7", 3, step="ignite"))
    assert (refused.value.expected, refused.value.actual) == (2, 1)


async def test_many_events_are_stored_all_or_none(store):
    with pytest.raises(InvalidInputError, match=r"events\[1\]"):
        await store.append_many([WorkflowCreated("burn-7"), WorkflowCreated("dock-1")])
    assert await store.last_position() == 0


def test_workflow_projection_rebuilds_current_state_from_event_sequence():
    events = [
        WorkflowCreated("burn-7", owner="ann"),
        WorkflowMoved("burn-7", 2, source="created", target="validated"),
        StepStarted("burn-7", 3, step="ignite"),
        StepCompleted("burn-7", 4, step="ignite", result={"dv": 1.5}),
    ]
    state = WorkflowProjection.of(events)
    assert (state.status, state.history, state.version) == (
        "validated",
        ("created", "validated"),
        4,
    )
    assert state.steps["ignite"].result == {"dv": 1.5}
    for cut in range(1, len(events)):
        before = WorkflowProjection.of(events[:cut])
        assert WorkflowProjection(before).apply_many(events[cut:]).state == state


def test_snapshot_events_capture_migration_time_workflow_state():
    lived = WorkflowProjection.of(
        [
            WorkflowCreated("burn-7", owner="ann"),
            WorkflowMoved("burn-7", 2, source="created", target="validated"),
            StepStarted("burn-7", 3, step="ignite"),
        ]
    )
    captured = SnapshotTaken("burn-7", state=state_to_json(lived), source="WorkflowEngine")
    state = WorkflowProjection.of([captured])
    assert (state.status, state.history, state.owner) == (lived.status, lived.history, "ann")
    assert state.steps == lived.steps
    assert (state.version, state.known_since) == (1, captured.occurred_at)
    going_on = StepCompleted("burn-7", 2, step="ignite")
    assert WorkflowProjection.of([captured, going_on]).irregular == ()

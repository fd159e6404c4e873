"""Two times: what had occurred by an instant, as far as was known at another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aetherops.errors import InvalidInputError
from aetherops.workflow import (
    MemoryEventStore,
    NotYetCreatedError,
    SnapshotTaken,
    StepCompleted,
    StepStarted,
    UnknownBeforeMigrationError,
    WorkflowCreated,
    WorkflowMoved,
    WorkflowNotFoundError,
    WorkflowProjection,
)
from aetherops.workflow.occurrence import state_occurred_by
from aetherops.workflow.read_models.memory import MemoryReadModel
from aetherops.workflow.temporal import TemporalQueries

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def minute(count):
    return NOON + timedelta(minutes=count)


#: Occurred, then recorded, in minutes: the end of the burn was told half an hour late.
TOLD = [
    (0, 0, WorkflowCreated("burn-7", occurred_at=minute(0))),
    (1, 1, StepStarted("burn-7", 2, step="ignite", occurred_at=minute(1))),
    (5, 5, WorkflowMoved("burn-7", 3, source="created", target="validated", occurred_at=minute(5))),
    (2, 32, StepCompleted("burn-7", 4, step="ignite", occurred_at=minute(2))),
]


@pytest.fixture
async def store():
    instants = iter(minute(recorded) for _, recorded, _ in TOLD)
    store = MemoryEventStore(now=lambda: next(instants))
    for _, _, event in TOLD:
        await store.append(event)
    return store


@pytest.fixture
def temporal(store):
    return TemporalQueries(store, MemoryReadModel(store))


async def test_what_was_told_late_counts_from_when_it_occurred_once_it_is_known(temporal):
    asked = {"occurred_at": minute(3)}
    known = await temporal.state_at("burn-7", **asked, known_at=minute(10))
    assert (known.version, known.steps["ignite"].status) == (2, "running")
    now = await temporal.state_at("burn-7", **asked)
    assert (now.version, now.steps["ignite"].status, now.status) == (4, "completed", "created")
    assert now.irregular == ()


async def test_past_the_last_occurrence_it_is_the_state_as_of_what_was_known(temporal):
    for recorded in (0, 1, 5, 32):
        at = minute(recorded)
        both = await temporal.state_at("burn-7", occurred_at=minute(60), known_at=at)
        assert both == await temporal.state_at("burn-7", at)


def test_what_lacks_its_ground_by_then_is_irregular_under_its_own_version():
    events = [
        WorkflowCreated("w", occurred_at=minute(0)),
        StepStarted("w", 2, step="a", occurred_at=minute(9)),
        StepCompleted("w", 3, step="a", occurred_at=minute(4)),
    ]
    state = state_occurred_by(events, minute(5))
    assert (state.version, state.irregular) == (3, (3,))
    assert state_occurred_by(events, minute(9)) == WorkflowProjection.of(events)


async def test_before_its_creation_it_did_not_exist_by_either_time(temporal):
    with pytest.raises(NotYetCreatedError):
        await temporal.state_at("burn-7", occurred_at=minute(-1))
    with pytest.raises(NotYetCreatedError):
        await temporal.state_at("burn-7", occurred_at=minute(3), known_at=minute(-1))
    with pytest.raises(WorkflowNotFoundError):
        await temporal.state_at("nobody", occurred_at=minute(3))
    with pytest.raises(WorkflowNotFoundError):
        await temporal.state_at("nobody", occurred_at=minute(3), known_at=minute(3))


def test_before_its_capture_it_is_unknown():
    captured = SnapshotTaken("w", occurred_at=minute(0))
    with pytest.raises(UnknownBeforeMigrationError):
        state_occurred_by([captured], minute(-1))


@pytest.mark.parametrize(
    ("timestamp", "asked"),
    [
        (NOON, {"occurred_at": NOON}),
        (NOON, {"known_at": NOON}),
        (None, {"known_at": NOON}),
        (None, {}),
        (None, {"occurred_at": NOON.replace(tzinfo=None)}),
        (None, {"occurred_at": NOON, "known_at": NOON.replace(tzinfo=None)}),
    ],
)
async def test_times_that_say_no_instant_are_refused(temporal, timestamp, asked):
    with pytest.raises(InvalidInputError):
        await temporal.state_at("burn-7", timestamp, **asked)

"""What was, at any instant: of one workflow, of the fleet, and what changed in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from aetherops.errors import InvalidInputError, LimitExceededError, UnavailableError
from aetherops.workflow import (
    NotYetCreatedError,
    OwnerAssigned,
    SnapshotTaken,
    UnknownBeforeMigrationError,
    WorkflowCancelled,
    WorkflowCreated,
    WorkflowMoved,
    WorkflowNotFoundError,
    WorkflowPaused,
    WorkflowProjection,
    WorkflowState,
    state_to_json,
    temporal,
)
from aetherops.workflow.read_models.postgres import PostgresSnapshots
from aetherops.workflow.snapshots.reading import SnapshotKeeper, StateReader
from aetherops.workflow.temporal import TemporalQueries

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def snapshots(runtime_postgres):
    return PostgresSnapshots(runtime_postgres)


@pytest.fixture
def past(store, read_model, snapshots):
    """Answers about the past, from kept states where there are some."""
    return TemporalQueries(store, read_model, snapshots, patience_s=0.05)


@pytest.fixture
def long_history():
    """A workflow that is moved to and fro for 450 events."""
    moves = [
        WorkflowMoved(workflow_id="long", version=version, source="created", target=target)
        for version, target in enumerate(["validated", "scheduled", "review"] * 150, start=2)
    ]
    return [WorkflowCreated(workflow_id="long"), *moves[:449]]


async def test_temporal_queries_return_projected_state_at_any_historical_timestamp(
    store, past, snapshots, long_history
):
    """Temporal queries return projected state at any historical timestamp."""
    stored = await store.append_many(long_history)
    assert await SnapshotKeeper(store, snapshots).keep("long", 450) == 2
    for version in (1, 2, 199, 200, 201, 399, 400, 450):
        recorded_at = stored[version - 1].recorded_at
        expected = WorkflowProjection.of(long_history[:version])
        assert await past.state_at("long", recorded_at) == expected
        if version < 450:  # until the next event is recorded, it stays so
            before_next = stored[version].recorded_at - MICROSECOND
            assert await past.state_at("long", before_next) == expected
    assert (await past.state_at("long", datetime.now(UTC))).version == 450


async def test_an_instant_of_another_time_zone_is_the_same_instant(store, past):
    event = await store.append(WorkflowCreated(workflow_id="a"))
    there = event.recorded_at.astimezone(tz=datetime.now().astimezone().tzinfo)
    assert (await past.state_at("a", there)).version == 1


async def test_kept_states_on_postgresql_change_no_answer_and_what_is_spoilt_is_not_used(
    store, snapshots, postgres, long_history
):
    stored = await store.append_many(long_history)
    keeper, reader = SnapshotKeeper(store, snapshots), StateReader(store, snapshots)
    await keeper.keep("long", 450)
    cuts = [*range(1, 450, 37), 200, 400, 450]
    for spoil in (
        "SELECT 1",
        "UPDATE workflow_snapshot SET state = substr(state, 1, 40)",
        "UPDATE workflow_snapshot SET event_id = gen_random_uuid()",
        "UPDATE workflow_snapshot SET version = version - 1",
        "DELETE FROM workflow_snapshot WHERE version < 300",
        "UPDATE workflow_snapshot SET projection_version = 0",
    ):
        await postgres.pool.execute(spoil)
        for version in cuts:
            expected = WorkflowProjection.of(long_history[:version])
            assert (await reader.projection("long", version)).state == expected
            instant = stored[version - 1].recorded_at
            assert (await reader.projection("long", instant)).state == expected
    assert await keeper.keep("long", 450) == 2
    assert not await snapshots.forget_some()
    versions = await postgres.pool.fetch("SELECT version FROM workflow_snapshot ORDER BY version")
    assert [row[0] for row in versions] == [200, 400]


async def test_a_time_without_offset_is_refused(past):
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    aware = datetime.now(UTC)
    for ask in (
        past.state_at("a", naive),
        past.fleet_at(naive),
        past.counts_at(naive),
        past.fleet_changes(naive, aware),
        past.fleet_changes(aware, naive),
    ):
        with pytest.raises(InvalidInputError, match="offset"):
            await ask


async def test_before_its_first_event_a_workflow_did_not_exist(store, past):
    event = await store.append(WorkflowCreated(workflow_id="a"))
    with pytest.raises(NotYetCreatedError):
        await past.state_at("a", event.recorded_at - MICROSECOND)
    with pytest.raises(WorkflowNotFoundError):
        await past.state_at("nothing", datetime.now(UTC))


async def test_before_its_migration_a_workflow_is_unknown(store, past, projector, catch_up):
    lived_since = datetime(2026, 1, 1, tzinfo=UTC)
    state = WorkflowState("old", status="review", created_at=lived_since)
    await store.append(WorkflowCreated(workflow_id="new"))
    event = await store.append(SnapshotTaken(workflow_id="old", state=state_to_json(state)))
    await catch_up(projector)
    before = event.recorded_at - MICROSECOND
    with pytest.raises(UnknownBeforeMigrationError, match="unknown before the migration"):
        await past.state_at("old", before)
    fleet = await past.fleet_at(before)
    assert [one.workflow_id for one in fleet.workflows] == ["new"]
    assert fleet.unknown == ["old"]
    assert (await past.fleet_at(lived_since - MICROSECOND)).unknown == []
    assert (await past.state_at("old", event.recorded_at)).status == "review"
    fleet = await past.fleet_at(event.recorded_at)
    assert ({one.workflow_id for one in fleet.workflows}, fleet.unknown) == ({"new", "old"}, [])


async def test_the_fleet_at_an_instant_is_what_had_been_recorded_by_then(
    store, past, projector, history, append, catch_up
):
    events = history(300, 20)
    await append(store, events)
    await catch_up(projector)
    for event in (await store.read_from(0))[::60]:
        fleet = await past.fleet_at(event.recorded_at)
        assert fleet.position == event.position
        for one in fleet.workflows:
            state = await past.state_at(one.workflow_id, event.recorded_at)
            assert (one.status, one.owner, one.paused) == (state.status, state.owner, state.paused)
        counts = await past.counts_at(event.recorded_at)
        assert sum(counts.values()) == len(fleet.workflows)


async def test_what_changed_between_two_instants_is_told_with_who_and_why(
    store, past, projector, catch_up
):
    order = uuid4()
    created = await store.append(WorkflowCreated(workflow_id="a", owner="ada"))
    await store.append(WorkflowCreated(workflow_id="idle"))
    start = await store.append(WorkflowPaused(workflow_id="a", version=2))
    assigned = OwnerAssigned(
        workflow_id="a", version=3, owner="grace", actor="kātherine", causation_id=order
    )
    await store.append(assigned)
    later = WorkflowCreated(workflow_id="b", actor="planner")
    end = await store.append(later)
    await store.append(WorkflowCancelled(workflow_id="a", version=4))
    await catch_up(projector)
    a, b = await past.fleet_changes(start.recorded_at, end.recorded_at)
    assert (a.workflow_id, a.before.owner, a.after.owner) == ("a", "ada", "grace")
    assert [(e.actor, e.causation_id) for e in a.events] == [("kātherine", order)]
    assert (b.before, b.after.status, [e.actor for e in b.events]) == (None, "created", ["planner"])
    assert await past.fleet_changes(start.recorded_at, start.recorded_at) == []
    with pytest.raises(InvalidInputError, match="end"):
        await past.fleet_changes(end.recorded_at, created.recorded_at)


async def test_too_much_between_two_instants_is_refused(
    store, past, projector, catch_up, monkeypatch
):
    monkeypatch.setattr(temporal, "MAX_FLEET_EVENTS", 1)
    start = await store.append(WorkflowCreated(workflow_id="a"))
    await store.append(WorkflowCreated(workflow_id="b"))
    end = await store.append(WorkflowCreated(workflow_id="c"))
    await catch_up(projector)
    with pytest.raises(LimitExceededError, match="events between two instants"):
        await past.fleet_changes(start.recorded_at, end.recorded_at)


async def test_an_instant_that_the_read_model_has_not_reached_is_not_guessed(store, past):
    event = await store.append(WorkflowCreated(workflow_id="a"))
    with pytest.raises(UnavailableError, match="read model"):
        await past.fleet_at(event.recorded_at)

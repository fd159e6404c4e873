"""Questions: the state now and at any instant, the history, and what changed in between."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.services.workflows import Workflows
from aetherops.services.workflows.queries import MAX_CHANGES
from aetherops.workflow import (
    KINDS,
    ArtifactAttached,
    EventCodec,
    MemoryEventStore,
    NotYetCreatedError,
    UnknownBeforeMigrationError,
    WorkflowCreated,
    WorkflowEvent,
    WorkflowNotFoundError,
    WorkflowProjection,
    event_kind,
)
from aetherops.workflow.read_models.memory import MemoryReadModel
from aetherops.workflow.read_models.ports import WorkflowQuery

NAIVE = datetime(2026, 1, 31, 12)  # noqa: DTZ001 (this is what is refused)


async def test_temporal_queries_return_projected_state_at_any_historical_timestamp(
    commands, queries, clock, ann, meter, store
):
    """At every recorded instant, and between any two, the state is the fold up to there."""
    await commands.create(ann, "burn-7")
    for target in ("validated", "scheduled", "in-progress"):
        clock.turn(minutes=10)
        await commands.move(ann, "burn-7", target)
    events = await store.get_events("burn-7")
    for event in events:
        expected = WorkflowProjection.of(events[: event.version])
        assert await queries.state_at("burn-7", event.recorded_at, meter) == expected
        just_before_the_next = event.recorded_at + timedelta(minutes=10, microseconds=-1)
        assert await queries.state_at("burn-7", just_before_the_next, meter) == expected


async def test_the_state_now_is_that_of_the_last_event(commands, queries, ann, meter):
    state = await commands.create(ann, "burn-7")
    assert await queries.state("burn-7", meter) == state
    with pytest.raises(WorkflowNotFoundError, match="burn-8"):
        await queries.state("burn-8", meter)


async def test_before_its_creation_a_workflow_is_not_found(commands, queries, clock, ann, meter):
    before = clock.now
    clock.turn(seconds=1)
    await commands.create(ann, "burn-7")
    with pytest.raises(NotYetCreatedError, match="did not exist at 2026-01-31T12:00:00"):
        await queries.state_at("burn-7", before, meter)
    with pytest.raises(WorkflowNotFoundError):
        await queries.state_at("burn-8", before, meter)


async def test_before_its_migration_a_workflow_is_unknown(commands, queries, clock, ann, meter):
    before = clock.now
    clock.turn(seconds=1)
    await commands.capture(ann, "old-1", {"status": "review"})
    with pytest.raises(UnknownBeforeMigrationError, match="unknown before the migration"):
        await queries.state_at("old-1", before, meter)
    with pytest.raises(UnknownBeforeMigrationError):
        await queries.changes("old-1", before, clock.now, meter)
    assert (await queries.state_at("old-1", clock.now, meter)).status == "review"


async def test_a_time_without_an_offset_is_refused(commands, queries, clock, ann, meter):
    await commands.create(ann, "burn-7")
    for question in (
        queries.state_at("burn-7", NAIVE, meter),
        queries.changes("burn-7", NAIVE, clock.now, meter),
        queries.changes("burn-7", clock.now, NAIVE, meter),
        queries.find(WorkflowQuery(), as_of=NAIVE),
    ):
        with pytest.raises(InvalidInputError, match="a time with an offset"):
            await question


async def test_the_history_comes_in_pages(commands, queries, ann, meter):
    await commands.create(ann, "burn-7")
    for i in range(6):
        await commands.attach(ann, "burn-7", "i", i)
    versions, after = [], 0
    for _ in itertools.count():
        page = await queries.history("burn-7", meter, first=3, after=after)
        versions.append([event.version for event in page.events])
        after = page.events[-1].version
        if not page.has_next:
            break
    assert versions == [[1, 2, 3], [4, 5, 6], [7]]
    with pytest.raises(InvalidInputError, match="first"):
        await queries.history("burn-7", meter, first=0)
    with pytest.raises(LimitExceededError):
        await queries.history("burn-7", meter, first=1001)
    with pytest.raises(WorkflowNotFoundError):
        await queries.history("burn-8", meter)


async def test_a_page_of_events_that_say_much_ends_early(commands, queries, clock, ann, meter):
    start = clock.now
    clock.turn(seconds=1)
    await commands.create(ann, "burn-7")
    for i in range(40):
        await commands.attach(ann, "burn-7", "image", f"{i}" + "x" * 1_000_000)
    page = await queries.history("burn-7", meter, first=1000)
    assert page.has_next
    assert 10 < len(page.events) < 20
    seen = len(page.events)
    while page.has_next:
        page = await queries.history("burn-7", meter, after=page.events[-1].version)
        seen += len(page.events)
    assert seen == 41
    with pytest.raises(LimitExceededError, match="bytes that events between two instants say"):
        await queries.changes("burn-7", start, clock.turn(seconds=1), meter)


async def test_what_changed_between_two_instants_and_why(commands, queries, clock, ann, meter):
    await commands.create(ann, "burn-7", owner="ann")
    start = clock.now
    clock.turn(minutes=1)
    await commands.move(ann, "burn-7", "validated", reason="checked")
    await commands.start_step(ann, "burn-7", "ignite")
    end = clock.turn(minutes=1)
    clock.turn(minutes=1)
    await commands.assign(ann, "burn-7", "bo")

    found = await queries.changes("burn-7", start, end, meter)

    assert found.before is not None
    assert (found.before.status, found.after.status) == ("created", "validated")
    assert [(one.event.kind, one.event.actor) for one in found.changes] == [
        ("workflow.moved", "ann"),
        ("step.started", "ann"),
    ]
    assert found.changes[0].event.payload["reason"] == "checked"
    paths = {one.path: (one.before, one.after) for one in found.net}
    assert paths["status"] == ("created", "validated")
    assert paths["steps.ignite"][0] is None
    assert "owner" not in paths


async def test_nothing_changed_where_nothing_happened(commands, queries, clock, ann, meter):
    await commands.create(ann, "burn-7")
    found = await queries.changes("burn-7", clock.now, clock.turn(hours=1), meter)
    assert (found.before, found.changes, found.net) == (found.after, [], [])
    with pytest.raises(InvalidInputError, match="to: expected a time from"):
        await queries.changes("burn-7", clock.now, clock.now - timedelta(hours=1), meter)


async def test_a_workflow_that_begins_in_between_has_no_state_before(
    commands, queries, clock, ann, meter
):
    start = clock.now
    clock.turn(minutes=1)
    await commands.create(ann, "burn-7", owner="ann")
    found = await queries.changes("burn-7", start, clock.now, meter)
    assert found.before is None
    assert ("owner", None, "ann") in [(one.path, one.before, one.after) for one in found.net]


async def test_a_long_history_is_read_in_pages_and_paid_for(queries, store, clock, meter):
    count = 2 * MAX_CHANGES + 1
    await store.append(WorkflowCreated("long"))
    start = clock.now
    clock.turn(seconds=1)
    await store.append_many(
        [ArtifactAttached("long", 2 + i, key="i", value=i) for i in range(count)]
    )
    assert (await queries.state("long", meter)).artifacts == {"i": count - 1}
    assert meter.spent == 20
    with pytest.raises(LimitExceededError, match="ask for a shorter time"):
        await queries.changes("long", start, clock.now + timedelta(hours=1), meter)


class FromKeptStates:
    """Folds, and counts how often it was asked: what is kept is the affair of who keeps it."""

    def __init__(self, store):
        self.store = store
        self.asked = []

    async def projection(self, workflow_id, until=None):
        self.asked.append((workflow_id, until))
        events = await self.store.get_events(workflow_id, until=until)
        return WorkflowProjection().apply_many(events)


async def test_states_come_from_where_they_are_kept(store, clock, ann, meter):
    states = FromKeptStates(store)
    workflows = Workflows.over(store, MemoryReadModel(store), clock, states)
    await workflows.commands.create(ann, "burn-7")
    then = clock.turn(seconds=1)
    clock.turn(seconds=1)
    await workflows.commands.move(ann, "burn-7", "validated")

    assert (await workflows.queries.state("burn-7", meter)).status == "validated"
    assert (await workflows.queries.state_at("burn-7", then, meter)).status == "created"
    asked = [("burn-7", None)] * 3 + [("burn-7", then)]
    assert states.asked == asked, "two commands, the state now, and that of then"


async def test_workflows_are_found_by_what_they_are(commands, queries, clock, ann):
    await commands.create(ann, "burn-7", name="orbit-raise", owner="ann")
    clock.turn(hours=1)
    await commands.create(ann, "dock-1", name="docking", owner="bo")
    await commands.cancel(ann, "dock-1")

    async def ids(**query):
        page = await queries.find(WorkflowQuery(**query))
        return [one.workflow_id for one in page.workflows]

    assert await ids() == ["burn-7", "dock-1"]
    assert await ids(statuses=frozenset({"cancelled"})) == ["dock-1"]
    assert await ids(owner="ann") == ["burn-7"]
    assert await ids(text="RAISE") == await ids(text="burn") == ["burn-7"]
    assert await ids(created_after=clock.now - timedelta(minutes=1)) == ["dock-1"]
    assert await ids(created_before=clock.now - timedelta(minutes=1)) == ["burn-7"]
    assert await ids(quiet_since=clock.now) == ["burn-7"]


async def test_the_fleet_at_an_instant_is_as_it_stood_then(commands, queries, clock, ann):
    await commands.create(ann, "burn-7", owner="ann")
    then = clock.now
    clock.turn(hours=1)
    await commands.create(ann, "dock-1")
    await commands.assign(ann, "burn-7", "bo")

    then_page = await queries.find(WorkflowQuery(), as_of=then)
    now_page = await queries.find(WorkflowQuery(), as_of=clock.turn(seconds=1))

    assert [(one.workflow_id, one.owner) for one in then_page.workflows] == [("burn-7", "ann")]
    assert [one.owner for one in now_page.workflows] == ["bo", None]


async def test_a_list_comes_in_pages(commands, queries, ann):
    for i in range(5):
        await commands.create(ann, f"w-{i}")
    page = await queries.find(WorkflowQuery(), first=2, after="w-1")
    assert ([one.workflow_id for one in page.workflows], page.has_next) == (["w-2", "w-3"], True)
    last = await queries.find(WorkflowQuery(), first=2, after="w-3")
    assert ([one.workflow_id for one in last.workflows], last.has_next) == (["w-4"], False)
    with pytest.raises(InvalidInputError, match="first"):
        await queries.find(WorkflowQuery(), first=0)
    with pytest.raises(LimitExceededError, match="workflows in one page"):
        await queries.find(WorkflowQuery(), first=1001)


async def test_a_verification_says_which_event_cannot_be_read(meter):
    @event_kind("step.skipped")
    @dataclass(frozen=True, kw_only=True)
    class StepSkipped(WorkflowEvent):
        """Of a version to come."""

    store = MemoryEventStore(EventCodec({**KINDS, "step.skipped": StepSkipped}))
    await store.append_many([WorkflowCreated("w"), StepSkipped("w", 2)])
    store._codec = EventCodec()  # as the version that runs beside it reads them
    found = await Workflows.over(store, MemoryReadModel(store)).queries.verify("w", meter)
    assert not found.converges
    assert "step.skipped" in str(found.divergences[0])

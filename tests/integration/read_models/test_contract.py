"""What every read model of workflows answers, in memory and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.workflow import STATES, WorkflowCreated, WorkflowMoved, WorkflowProjection
from aetherops.workflow.read_models.memory import MemoryReadModel
from aetherops.workflow.read_models.ports import WorkflowQuery, summary_of

EVERYTHING = WorkflowQuery()
EVENTS, WORKFLOWS = 600, 40


@pytest.fixture(params=["memory", "postgres"])
async def model(request, store, history, append, projector, read_model, catch_up):
    """A read model that has taken in a history of forty workflows."""
    await append(store, history(EVENTS, WORKFLOWS))
    if request.param == "memory":
        return MemoryReadModel(store)
    await catch_up(projector)
    return read_model


def asked(query):
    """A name of the query, the same in every process: a set's own has any order."""
    fields = ((name, getattr(query, name)) for name in WorkflowQuery.__dataclass_fields__)
    given = ((name, value) for name, value in fields if value)
    return " ".join(
        f"{name}={sorted(value) if isinstance(value, frozenset) else value!s}"
        for name, value in given
    )


async def all_pages(ask, first):
    found, after = [], ""
    while True:
        page = await ask(first=first, after=after)
        found += page.workflows
        if not page.has_next:
            return found
        assert len(page.workflows) == first
        after = page.workflows[-1].workflow_id


async def test_it_says_of_each_workflow_what_the_fold_of_its_events_says(model, store):
    page = await model.search(EVERYTHING)
    for summary in page.workflows:
        events = await store.get_events(summary.workflow_id)
        assert summary == summary_of(WorkflowProjection.of(events), events[-1].recorded_at)
    assert len(page.workflows) == WORKFLOWS
    assert page.position == EVENTS


async def test_pages_follow_each_other_by_id_without_gap_or_double(model):
    found = [
        one.workflow_id for one in await all_pages(lambda **o: model.search(EVERYTHING, **o), 7)
    ]
    assert found == sorted(set(found))
    assert len(found) == WORKFLOWS


@pytest.mark.parametrize(
    "query",
    [
        WorkflowQuery(statuses=frozenset({"review", "failed"})),
        WorkflowQuery(owner="kātherine"),
        WorkflowQuery(text="ORBIT"),
        WorkflowQuery(text="strasse"),
        WorkflowQuery(text="W-001"),
        WorkflowQuery(text="%_"),
        WorkflowQuery(text="0\nO"),
        WorkflowQuery(text="w\x00"),
        WorkflowQuery(text="\ud800"),
        WorkflowQuery(owner="\x00"),
        WorkflowQuery(created_after=datetime(2026, 3, 1, 0, 0, 20, tzinfo=UTC)),
        WorkflowQuery(created_before=datetime(2026, 3, 1, tzinfo=UTC)),
        WorkflowQuery(statuses=frozenset({"in-progress"}), owner="ada", text="down"),
        WorkflowQuery(owner="nobody"),
    ],
    ids=asked,
)
async def test_searches_find_the_same_as_a_look_at_every_workflow(model, store, query):
    expected = (await MemoryReadModel(store).search(query)).workflows
    assert await all_pages(lambda **o: model.search(query, **o), 5) == expected


async def test_a_workflow_is_stuck_when_it_is_under_way_and_quiet_for_so_long(model, store):
    everything = (await model.search(EVERYTHING)).workflows
    since = sorted(one.updated_at for one in everything)[WORKFLOWS // 2]
    stuck = (await model.search(WorkflowQuery(quiet_since=since))).workflows
    assert stuck == [
        one
        for one in everything
        if one.updated_at < since and one.status not in ("completed", "failed", "cancelled")
    ]
    assert stuck


@pytest.mark.parametrize("position", [1, 57, 300, EVENTS])
async def test_the_fleet_at_a_position_is_the_fold_up_to_there(model, store, position):
    events = await store.read_from(0, position)
    states = {e.workflow_id: WorkflowProjection() for e in events}
    for event in events:
        states[event.workflow_id].apply(event)
    facts = {
        name: (one.state.status, one.state.owner, one.state.paused) for name, one in states.items()
    }
    found = await model.facts_at(position)
    assert {one.workflow_id: tuple(one[1:]) for one in found} == facts
    assert len(found) == len(facts)
    counts = await model.counts_at(position)
    assert counts == {
        status: count
        for status in STATES
        if (count := sum(fact[0] == status for fact in facts.values()))
    }
    pages = await all_pages(lambda **o: model.fleet_at(position, EVERYTHING, **o), 6)
    assert {one.workflow_id: (one.status, one.owner, one.paused) for one in pages} == facts
    assert [one.workflow_id for one in pages] == sorted(facts)


async def test_the_fleet_of_then_is_searched_as_it_was_then(model, store):
    for query in (WorkflowQuery(statuses=frozenset({"created"})), WorkflowQuery(owner="ada")):
        expected = await MemoryReadModel(store).fleet_at(200, query)
        found = await model.fleet_at(200, query)
        assert found == expected
        assert found.workflows


async def test_only_the_workflows_that_are_asked_for_are_told(model):
    names = ["w-0001", "w-0002", "no-such"]
    found = await model.facts_at(EVENTS, names)
    assert sorted(one.workflow_id for one in found) == names[:2]


async def test_what_was_captured_later_is_unknown_before(model, store):
    first = {}
    for event in await store.read_from(0):
        first.setdefault(event.workflow_id, event)
    captured = [e for e in first.values() if e.kind == "snapshot.taken"]
    assert captured
    long_ago = datetime(2026, 2, 27, tzinfo=UTC)  # they were created the day before
    assert await model.unknown_at(0, long_ago) == sorted(e.workflow_id for e in captured)
    assert await model.unknown_at(0, long_ago - timedelta(days=10)) == []
    assert await model.unknown_at(EVENTS, long_ago) == []


async def test_what_was_appended_is_shown_once_it_was_waited_for(model, store):
    assert await model.wait_until(await model.position(), timeout_s=0)
    assert not await model.wait_until(EVENTS + 1, timeout_s=0.01)


async def test_too_large_a_page_is_refused(model):
    with pytest.raises(LimitExceededError):
        await model.search(EVERYTHING, first=1001)
    with pytest.raises(InvalidInputError, match="first"):
        await model.search(EVERYTHING, first=0)
    with pytest.raises(InvalidInputError, match="quiet_since"):
        await model.fleet_at(1, WorkflowQuery(quiet_since=datetime.now(UTC)))


async def test_before_there_are_events_there_is_nothing(store, projector, read_model, catch_up):
    assert (await read_model.search(EVERYTHING)).position == 0
    assert await catch_up(projector) == []
    page = await read_model.search(EVERYTHING)
    assert (page.workflows, page.has_next, page.position) == ([], False, 0)
    assert await read_model.facts_at(0) == []


async def test_a_move_shows_as_soon_as_it_is_taken_in(store, projector, read_model, catch_up):
    await store.append(WorkflowCreated(workflow_id="a"))
    await catch_up(projector)
    await store.append(
        WorkflowMoved(workflow_id="a", version=2, source="created", target="validated")
    )
    await catch_up(projector)
    [found] = (await read_model.search(EVERYTHING)).workflows
    assert (found.status, found.version) == ("validated", 2)
    [before] = (await read_model.fleet_at(1, EVERYTHING)).workflows
    assert (before.status, before.version) == ("created", None)

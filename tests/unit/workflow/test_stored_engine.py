"""`WorkflowEngine` on an event store: the same methods, and every move an event."""

from __future__ import annotations

import asyncio
import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.workflow import (
    STATES,
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    ConcurrencyError,
    EventLoopError,
    FencedError,
    MemoryEventStore,
    MissionPipeline,
    WorkflowEngine,
    WorkflowEvent,
    WorkflowMoved,
    WorkflowNotFoundError,
    run_in_background,
    safe_advance,
    shortest_path,
)


class LosesAnswers(MemoryEventStore):
    """A store whose next answer is lost on the way, after it stored what it was given."""

    loses_next = False

    async def append_many(self, *args: Any, **kwargs: Any) -> list[WorkflowEvent]:
        stored = await super().append_many(*args, **kwargs)
        if self.loses_next:
            self.loses_next = False
            raise UnavailableError("store")
        return stored


def events_of(store: MemoryEventStore, workflow_id: str = "w") -> list[WorkflowEvent]:
    return run_in_background(store.get_events(workflow_id))


def kinds_of(store: MemoryEventStore) -> list[str]:
    return [event.kind for event in events_of(store)]


def test_a_new_workflow_is_event_sourced_from_its_creation() -> None:
    store = MemoryEventStore()
    engine = WorkflowEngine.open(store, "w", name="orbit-raise", owner="ada", actor="ada")
    assert isinstance(engine, WorkflowEngine)
    assert (engine.state, engine.history, engine.step_count()) == ("created", ["created"], 0)
    [created] = events_of(store)
    assert (created.kind, created.version, created.actor) == ("workflow.created", 1, "ada")
    assert created.payload["name"] == "orbit-raise"


def test_every_move_is_an_event_and_ends_have_kinds_of_their_own() -> None:
    store = MemoryEventStore()
    engine = WorkflowEngine.open(store, "w")
    for target in (shortest_path("created", "completed") or [])[1:]:
        assert engine.advance(target) is True
    assert engine.is_done()
    assert kinds_of(store) == [
        "workflow.created",
        *["workflow.moved"] * 6,
        "workflow.completed",
    ]


@given(st.lists(st.sampled_from([*STATES, "nowhere"]), max_size=25))
def test_on_a_store_it_answers_as_in_memory(targets: list[str]) -> None:
    store, in_memory = MemoryEventStore(), WorkflowEngine()
    engine = WorkflowEngine.open(store, "w")
    for target in targets:
        assert safe_advance(engine, target) == safe_advance(in_memory, target)
        assert (engine.state, engine.history) == (in_memory.state, in_memory.history)
        assert engine.step_count() == in_memory.step_count()
        assert engine.is_done() is in_memory.is_done()
    again = WorkflowEngine.open(store, "w", create=False)
    assert (again.state, again.history) == (in_memory.state, in_memory.history)


def test_of_two_who_make_the_same_move_one_is_told_that_it_moved() -> None:
    store = MemoryEventStore()
    one, other = WorkflowEngine.open(store, "w"), WorkflowEngine.open(store, "w")
    assert one.advance("validated") is True
    assert other.state == "created"  # as far as it knows
    assert other.advance("validated") is False
    assert other.state == "validated"
    assert kinds_of(store) == ["workflow.created", "workflow.moved"]


def test_a_move_that_another_made_possible_is_made() -> None:
    store = MemoryEventStore()
    one, other = WorkflowEngine.open(store, "w"), WorkflowEngine.open(store, "w")
    one.advance("validated")
    assert other.advance("scheduled") is True
    one.refresh()
    assert one.history == ["created", "validated", "scheduled"]


def test_threads_that_race_for_a_move_make_it_once() -> None:
    store = MemoryEventStore()
    engines = [WorkflowEngine.open(store, "w") for _ in range(8)]
    engines += [engines[0]] * 4  # some share one object
    with ThreadPoolExecutor(len(engines)) as threads:
        for target in ("validated", "scheduled", "in-progress"):
            moved = list(threads.map(lambda engine, to=target: engine.advance(to), engines))
            assert moved.count(True) == 1
    assert len(events_of(store)) == 4


def test_a_move_whose_answer_was_lost_is_made_once_when_it_is_made_again() -> None:
    store = LosesAnswers()
    engine = WorkflowEngine.open(store, "w")
    store.loses_next = True
    with pytest.raises(UnavailableError):
        engine.advance("validated")
    assert engine.advance("validated") is True
    assert [event.version for event in events_of(store)] == [1, 2]


def test_after_a_lost_answer_another_move_is_decided_from_what_is_stored() -> None:
    store = LosesAnswers()
    engine = WorkflowEngine.open(store, "w")
    store.loses_next = True
    with pytest.raises(UnavailableError):
        engine.advance("validated")
    assert engine.advance("cancelled") is False  # it is validated
    assert engine.state == "validated"


def test_no_move_leads_onward_while_a_word_is_waited_for() -> None:
    store = MemoryEventStore()
    engine = WorkflowEngine.open(store, "w")
    asked = ApprovalRequested(workflow_id="w", version=2, approval="burn-go")
    run_in_background(store.append(asked))
    assert engine.advance("validated") is False
    granted = ApprovalGranted(workflow_id="w", version=3, approval="burn-go", actor="ada")
    run_in_background(store.append(granted))
    assert engine.advance("validated") is True
    refused = [
        ApprovalRequested(workflow_id="w", version=5, approval="crew-go"),
        ApprovalRefused(workflow_id="w", version=6, approval="crew-go", actor="ada"),
    ]
    run_in_background(store.append_many(refused))
    assert engine.advance("scheduled") is False
    assert engine.advance("failed") is True, "to a bad end nobody's word is needed"


def test_what_the_events_say_is_assigned_nowhere() -> None:
    engine = WorkflowEngine.open(MemoryEventStore(), "w")
    with pytest.raises(AttributeError, match="call advance"):
        engine.state = "completed"
    with pytest.raises(AttributeError, match="call advance"):
        engine.history = []
    with pytest.raises(TypeError, match="cannot change"):
        engine.history.append("completed")
    assert engine.state == "created"


@pytest.mark.parametrize("duplicate", [copy.copy, pickle.dumps])
def test_an_opened_workflow_is_opened_elsewhere_and_not_copied(duplicate: Any) -> None:
    with pytest.raises(TypeError, match="open it there"):
        duplicate(WorkflowEngine.open(MemoryEventStore(), "w"))


def test_one_that_does_not_exist_is_not_created_unasked() -> None:
    store = MemoryEventStore()
    with pytest.raises(WorkflowNotFoundError, match="'w'"):
        WorkflowEngine.open(store, "w", create=False)
    assert events_of(store) == []


def test_a_mission_is_not_opened_as_a_workflow() -> None:
    store = MemoryEventStore()
    MissionPipeline.open(store, "w")
    with pytest.raises(InvalidInputError, match="the id of a workflow, not of a mission"):
        WorkflowEngine.open(store, "w")


def test_who_held_the_workflow_in_an_earlier_epoch_moves_it_no_more() -> None:
    store = MemoryEventStore()
    epoch = run_in_background(store.fence("w"))
    engine = WorkflowEngine.open(store, "w", epoch=epoch)
    assert engine.advance("validated")
    run_in_background(store.fence("w"))
    with pytest.raises(FencedError):
        engine.advance("scheduled")
    assert engine.state == "validated"


async def test_inside_a_running_loop_a_blocking_call_says_what_to_await() -> None:
    store = MemoryEventStore()
    with pytest.raises(EventLoopError, match=r"await WorkflowEngine\.open_async"):
        WorkflowEngine.open(store, "w")
    engine = await WorkflowEngine.open_async(store, "w")
    with pytest.raises(EventLoopError, match=r"await engine.advance_async\(target\)"):
        engine.advance("validated")
    with pytest.raises(EventLoopError, match=r"await engine\.refresh_async"):
        engine.refresh()
    assert engine.state == "created"
    assert await engine.advance_async("validated") is True
    assert await engine.advance_async("validated") is False


async def test_opened_on_a_loop_it_is_used_there_from_other_threads_too() -> None:
    store = MemoryEventStore()
    engine = await WorkflowEngine.open_async(store, "w")
    assert await asyncio.to_thread(engine.advance, "validated") is True
    [_, moved] = await store.get_events("w")
    assert isinstance(moved, WorkflowMoved)


def test_opened_on_a_loop_that_ended_it_is_to_be_opened_anew() -> None:
    engine = asyncio.run(WorkflowEngine.open_async(MemoryEventStore(), "w"))
    with pytest.raises(EventLoopError, match="open it anew"):
        engine.advance("validated")


async def test_a_store_that_cannot_be_read_anew_is_no_endless_loop() -> None:
    class Forgetful(MemoryEventStore):
        async def get_events(self, workflow_id: str, **kwargs: Any) -> list[WorkflowEvent]:
            return [] if kwargs else await super().get_events(workflow_id)

    store = Forgetful()
    one = await WorkflowEngine.open_async(store, "w")
    other = await WorkflowEngine.open_async(store, "w")
    await one.advance_async("validated")
    with pytest.raises(ConcurrencyError):
        await other.advance_async("validated")

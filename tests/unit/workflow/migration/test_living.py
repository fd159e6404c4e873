"""An object of a running program goes on in a store, and is still the same object."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.workflow import (
    ConcurrencyError,
    EventLoopError,
    MemoryEventStore,
    MissionPipeline,
    WorkflowEngine,
    WorkflowEvent,
    run_in_background,
)
from aetherops.workflow.migration import (
    Outcome,
    capture,
    migrate_captured,
    move_to_store,
    move_to_store_async,
)


def moved_engine() -> WorkflowEngine:
    engine = WorkflowEngine()
    engine.advance("validated")
    return engine


def kinds(store: MemoryEventStore, workflow_id: str) -> list[str]:
    return [event.kind for event in run_in_background(store.get_events(workflow_id))]


def test_a_living_engine_goes_on_without_interruption() -> None:
    store, engine = MemoryEventStore(), moved_engine()
    also_it = engine
    outcome = move_to_store(engine, store, "w", name="orbit-raise", owner="ada", actor="ada")
    assert outcome is Outcome.CAPTURED
    assert also_it.history == ["created", "validated"]
    assert also_it.advance("scheduled") is True
    assert engine.history == ["created", "validated", "scheduled"]
    assert engine.step_count() == 2
    assert kinds(store, "w") == ["snapshot.taken", "workflow.moved"]
    elsewhere = WorkflowEngine.open(store, "w", create=False)
    assert elsewhere.history == engine.history


def test_a_living_mission_goes_on_without_interruption() -> None:
    store, pipeline = MemoryEventStore(), MissionPipeline()
    pipeline.advance()
    pipeline.attach_artifact("plan", {"burns": (1, 2)})
    move_to_store(pipeline, store, "m")
    assert pipeline.advance() == "preparation"
    assert pipeline.rollback() == "validation"
    assert pipeline.transition_log() == ["planning", "validation"]
    assert pipeline.artifacts == {"plan": {"burns": [1, 2]}}
    assert kinds(store, "m") == ["snapshot.taken", "stage.advanced", "stage.rolled-back"]


def test_where_its_file_was_captured_before_it_goes_on_from_the_store() -> None:
    store, engine = MemoryEventStore(), moved_engine()
    run_in_background(migrate_captured(capture(engine, "w"), store))
    WorkflowEngine.open(store, "w").advance("scheduled")
    assert move_to_store(engine, store, "w") is Outcome.KNOWN
    assert engine.state == "scheduled"


class Away(MemoryEventStore):
    """A store that cannot be reached."""

    async def append_many(self, *args: Any, **kwargs: Any) -> list[WorkflowEvent]:
        raise UnavailableError("store")


def test_where_it_cannot_be_captured_it_is_as_before() -> None:
    engine = moved_engine()
    with pytest.raises(UnavailableError):
        move_to_store(engine, Away(), "w")
    assert type(engine) is WorkflowEngine
    assert vars(engine) == {"state": "validated", "history": ["created", "validated"]}
    assert engine.advance("scheduled")


def test_an_id_of_other_events_is_refused() -> None:
    store, engine = MemoryEventStore(), moved_engine()
    WorkflowEngine.open(store, "w")
    with pytest.raises(InvalidInputError, match="an id without events"):
        move_to_store(engine, store, "w")
    assert type(engine) is WorkflowEngine


class OnTheWay(MemoryEventStore):
    """A store whose first append takes until it is told to arrive, or to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.arrive = asyncio.Event(), asyncio.Event()
        self.fails = False

    async def append_many(self, *args: Any, **kwargs: Any) -> list[WorkflowEvent]:
        self.begun.set()
        await self.arrive.wait()
        if self.fails:
            raise UnavailableError("store")
        return await super().append_many(*args, **kwargs)


async def test_meanwhile_it_can_be_read_and_a_move_waits_its_turn() -> None:
    store, engine = OnTheWay(), moved_engine()
    moving = asyncio.create_task(move_to_store_async(engine, store, "w"))
    await store.begun.wait()
    assert engine.history == ["created", "validated"]
    advance = engine.advance_async("scheduled")  # type: ignore[attr-defined]
    advancing = asyncio.create_task(advance)
    store.arrive.set()
    assert await moving is Outcome.CAPTURED
    assert await advancing is True
    assert [event.version for event in await store.get_events("w")] == [1, 2]


async def test_a_move_that_waited_for_a_capture_that_failed_is_told() -> None:
    store, engine = OnTheWay(), moved_engine()
    moving = asyncio.create_task(move_to_store_async(engine, store, "w"))
    await store.begun.wait()
    advance = engine.advance_async("scheduled")  # type: ignore[attr-defined]
    advancing = asyncio.create_task(advance)
    await asyncio.sleep(0)
    store.fails = True
    store.arrive.set()
    with pytest.raises(UnavailableError):
        await moving
    with pytest.raises(ConcurrencyError):
        await advancing
    assert engine.advance("scheduled"), "it is in memory again, and nothing was lost"


class OwnEngine(WorkflowEngine):
    """A class of a script's own."""


@pytest.mark.parametrize(
    "living", [OwnEngine(), object(), "w", None], ids=lambda living: type(living).__name__
)
def test_only_objects_of_the_classes_themselves_become_others(living: Any) -> None:
    with pytest.raises(InvalidInputError, match="of WorkflowEngine or MissionPipeline itself"):
        move_to_store(living, MemoryEventStore(), "w")


def test_one_that_stands_on_a_store_is_not_moved_to_another() -> None:
    engine = WorkflowEngine.open(MemoryEventStore(), "w")
    with pytest.raises(InvalidInputError, match="in memory"):
        move_to_store(engine, MemoryEventStore(), "w")
    with pytest.raises(InvalidInputError, match="in memory, got 'StoredWorkflowEngine'"):
        capture(engine, "w")


def test_an_object_of_a_class_of_its_own_is_captured_as_what_it_is_based_on() -> None:
    engine = OwnEngine()
    engine.advance("validated")
    captured = capture(engine, "w", name="orbit-raise", owner="ada")
    assert captured.source == "WorkflowEngine"
    assert (captured.state.status, captured.state.owner) == ("validated", "ada")
    with pytest.raises(InvalidInputError, match="a WorkflowEngine or a MissionPipeline"):
        capture(object(), "w")  # type: ignore[arg-type]


async def test_inside_a_running_loop_it_says_what_to_await() -> None:
    with pytest.raises(EventLoopError, match="await move_to_store_async"):
        move_to_store(moved_engine(), MemoryEventStore(), "w")

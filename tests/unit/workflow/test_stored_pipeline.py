"""`MissionPipeline` on an event store: the same methods, and every change an event."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.workflow import (
    ApprovalGranted,
    ApprovalRequested,
    ConcurrencyError,
    EventLoopError,
    MemoryEventStore,
    MissionPipeline,
    WorkflowEngine,
    run_in_background,
)

MOVES = st.lists(st.sampled_from(["advance", "rollback", "attach"]), max_size=25)


def told(pipeline: MissionPipeline) -> tuple[object, ...]:
    return (
        pipeline.stage_index,
        pipeline.current_stage(),
        pipeline.completed_stages,
        pipeline.artifacts,
        pipeline.transition_log(),
        pipeline.progress_pct(),
        pipeline.is_complete(),
    )


@given(MOVES)
def test_on_a_store_it_answers_as_in_memory(moves: list[str]) -> None:
    store, in_memory = MemoryEventStore(), MissionPipeline()
    pipeline = MissionPipeline.open(store, "m")
    for i, move in enumerate(moves):
        if move == "attach":
            pipeline.attach_artifact(f"key {i % 3}", {"n": i})
            in_memory.attach_artifact(f"key {i % 3}", {"n": i})
        else:
            assert getattr(pipeline, move)() == getattr(in_memory, move)()
        assert told(pipeline) == told(in_memory)
    assert told(MissionPipeline.open(store, "m", create=False)) == told(in_memory)


def test_every_change_is_an_event_and_what_changes_nothing_is_none() -> None:
    store = MemoryEventStore()
    pipeline = MissionPipeline.open(store, "m", name="burn", actor="ada")
    assert pipeline.rollback() == "planning"
    pipeline.advance()
    pipeline.attach_artifact("plan", {"burns": 2})
    pipeline.rollback()
    events = run_in_background(store.get_events("m"))
    assert [event.kind for event in events] == [
        "workflow.created",
        "stage.advanced",
        "artifact.attached",
        "stage.rolled-back",
    ]
    assert {event.actor for event in events} == {"ada"}


@pytest.mark.parametrize("move", ["advance", "rollback"])
def test_who_decided_on_a_stage_that_is_over_moves_nothing_and_knows_better_then(move: str) -> None:
    store = MemoryEventStore()
    one = MissionPipeline.open(store, "m")
    one.advance()
    other = MissionPipeline.open(store, "m")
    one.advance()
    with pytest.raises(ConcurrencyError) as raised:
        getattr(other, move)()
    assert (raised.value.expected, raised.value.actual) == (2, 3)
    assert other.current_stage() == "preparation"
    assert getattr(other, move)() == ("execution" if move == "advance" else "validation")


def test_artifacts_of_two_both_stay() -> None:
    store = MemoryEventStore()
    one, other = MissionPipeline.open(store, "m"), MissionPipeline.open(store, "m")
    one.attach_artifact("plan", 1)
    other.attach_artifact("review", 2)
    assert other.artifacts == {"plan": 1, "review": 2}


def test_at_an_end_it_looks_whether_another_moved_it() -> None:
    store = MemoryEventStore()
    one = MissionPipeline.open(store, "m")
    for _ in range(5):
        one.advance()
    other = MissionPipeline.open(store, "m")
    assert other.is_complete()
    one.rollback()
    assert other.advance() == "monitoring"  # it is there, and nothing moved
    assert one.version == other.version


def test_a_mission_stays_while_a_word_is_waited_for_and_may_be_rolled_back() -> None:
    store = MemoryEventStore()
    pipeline = MissionPipeline.open(store, "m")
    pipeline.advance()
    asked = ApprovalRequested(workflow_id="m", version=3, approval="burn-go")
    run_in_background(store.append(asked))
    pipeline.refresh()
    assert pipeline.advance() == "validation"
    assert pipeline.rollback() == "planning"
    granted = ApprovalGranted(workflow_id="m", version=5, approval="burn-go", actor="ada")
    run_in_background(store.append(granted))
    assert pipeline.advance() == "validation"
    assert pipeline.transition_log() == ["planning", "planning"]


def test_an_artifact_that_json_cannot_hold_is_refused_and_nothing_is_recorded() -> None:
    store = MemoryEventStore()
    pipeline = MissionPipeline.open(store, "m")
    with pytest.raises(InvalidInputError, match=r"value\.at: expected null, a boolean"):
        pipeline.attach_artifact("plan", {"at": object()})
    assert pipeline.artifacts == {}
    assert pipeline.version == len(run_in_background(store.get_events("m"))) == 1


def test_what_the_events_say_is_assigned_nowhere() -> None:
    pipeline = MissionPipeline.open(MemoryEventStore(), "m")
    pipeline.attach_artifact("plan", {"burns": 2})
    for name, value in {"stage_index": 3, "completed_stages": [], "artifacts": {}}.items():
        with pytest.raises(AttributeError, match="what the events say"):
            setattr(pipeline, name, value)
    with pytest.raises(TypeError, match="cannot change"):
        pipeline.artifacts["plan"]["burns"] = 3
    with pytest.raises(TypeError, match="cannot change"):
        pipeline.completed_stages.append("planning")
    with pytest.raises(TypeError, match="open it there"):
        pickle.dumps(pipeline)


def test_a_workflow_is_not_opened_as_a_mission() -> None:
    store = MemoryEventStore()
    WorkflowEngine.open(store, "m")
    with pytest.raises(InvalidInputError, match="the id of a mission, not of a workflow"):
        MissionPipeline.open(store, "m")


async def test_inside_a_running_loop_each_blocking_call_has_one_to_await() -> None:
    store = MemoryEventStore()
    with pytest.raises(EventLoopError, match=r"await MissionPipeline\.open_async"):
        MissionPipeline.open(store, "m")
    pipeline = await MissionPipeline.open_async(store, "m")
    for call in (pipeline.advance, pipeline.rollback, pipeline.refresh):
        with pytest.raises(EventLoopError, match=f"await pipeline.{call.__name__}_async"):
            call()
    with pytest.raises(EventLoopError, match=r"await pipeline\.attach_artifact_async"):
        pipeline.attach_artifact("plan", 1)
    assert await pipeline.advance_async() == "validation"
    await pipeline.attach_artifact_async("plan", 1)
    assert await pipeline.rollback_async() == "planning"
    await pipeline.refresh_async()
    assert pipeline.artifacts == {"plan": 1}

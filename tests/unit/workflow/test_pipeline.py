"""A mission's stages, under the names that scripts use."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from aetherops.workflow import MissionPipeline

STAGES = ["planning", "validation", "preparation", "execution", "monitoring", "completion"]


def test_the_stages_are_a_list_on_the_class() -> None:
    assert MissionPipeline.STAGES == STAGES
    assert type(MissionPipeline.STAGES) is list


def test_a_mission_goes_through_its_stages() -> None:
    pipeline = MissionPipeline()
    assert pipeline.current_stage() == "planning"
    assert [pipeline.advance() for _ in range(5)] == STAGES[1:]
    assert pipeline.is_complete()


@pytest.mark.parametrize(
    ("moves", "progress_pct"), list(enumerate([0.0, 20.0, 40.0, 60.0, 80.0, 100.0]))
)
def test_progress_is_the_share_of_moves_made(moves: int, progress_pct: float) -> None:
    pipeline = MissionPipeline()
    for _ in range(moves):
        pipeline.advance()
    assert pipeline.progress_pct() == progress_pct
    assert pipeline.stage_index == moves
    assert pipeline.completed_stages == STAGES[:moves]
    assert pipeline.is_complete() is (moves == 5)


def test_where_nothing_moves_the_stage_that_stays_is_returned() -> None:
    pipeline = MissionPipeline()
    assert pipeline.rollback() == "planning"
    for _ in range(5):
        pipeline.advance()
    assert pipeline.advance() == "completion"
    assert pipeline.transition_log() == STAGES[:5]


def test_a_stage_rolled_back_to_is_no_longer_completed_and_stays_in_the_log() -> None:
    pipeline = MissionPipeline()
    pipeline.advance()
    pipeline.advance()
    assert pipeline.rollback() == "validation"
    assert pipeline.completed_stages == ["planning"]
    assert pipeline.transition_log() == ["planning", "validation"]


@given(st.lists(st.booleans(), max_size=40))
def test_the_log_names_every_stage_that_was_left_forward(forward: list[bool]) -> None:
    pipeline, index, log = MissionPipeline(), 0, []
    for step in forward:
        if step and index < 5:
            log.append(STAGES[index])
        index = min(index + 1, 5) if step else max(index - 1, 0)
        assert (pipeline.advance() if step else pipeline.rollback()) == STAGES[index]
        assert pipeline.current_stage() == STAGES[index]
        assert pipeline.completed_stages == STAGES[:index]
    assert pipeline.transition_log() == log


def test_artifacts_stay_by_key() -> None:
    pipeline = MissionPipeline()
    pipeline.attach_artifact("plan", {"burns": 2})
    pipeline.advance()
    pipeline.attach_artifact(key="plan", value={"burns": 3})
    pipeline.attach_artifact("review", "ok")
    pipeline.rollback()
    assert pipeline.artifacts == {"plan": {"burns": 3}, "review": "ok"}


def test_pipelines_share_nothing_and_the_log_is_a_copy() -> None:
    one, other = MissionPipeline(), MissionPipeline()
    one.advance()
    one.attach_artifact("plan", 1)
    one.transition_log().clear()
    assert one.transition_log() == ["planning"]
    assert (other.transition_log(), other.artifacts, other.completed_stages) == ([], {}, [])


def test_scripts_may_assign_to_the_attributes() -> None:
    pipeline = MissionPipeline()
    pipeline.stage_index = 3
    assert pipeline.current_stage() == "execution"
    assert pipeline.rollback() == "preparation"  # it was in no list of completed stages
    pipeline.completed_stages = ["planning"]
    pipeline.artifacts["plan"] = 1
    assert pipeline.advance() == "execution"
    assert pipeline.completed_stages == ["planning", "preparation"]
    assert pipeline.artifacts == {"plan": 1}

"""A mission's stages."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from aetherops.workflow import MissionPipeline

STAGES = ["planning", "validation", "preparation", "execution", "monitoring", "completion"]


def test_a_mission_goes_through_its_stages() -> None:
    pipeline = MissionPipeline()
    seen = [pipeline.current_stage]
    while pipeline.advance():
        seen.append(pipeline.current_stage)
    assert seen == STAGES
    assert pipeline.is_complete()


@pytest.mark.parametrize(
    ("moves", "progress_pct"), list(enumerate([0.0, 20.0, 40.0, 60.0, 80.0, 100.0]))
)
def test_progress_is_the_share_of_moves_made(moves: int, progress_pct: float) -> None:
    pipeline = MissionPipeline()
    for _ in range(moves):
        pipeline.advance()
    assert pipeline.progress_pct == progress_pct
    assert pipeline.completed_stages == STAGES[:moves]
    assert pipeline.is_complete() is (moves == 5)


def test_there_is_nothing_before_the_first_stage_nor_after_the_last() -> None:
    pipeline = MissionPipeline()
    assert pipeline.rollback() is False
    for _ in range(5):
        assert pipeline.advance() is True
    assert pipeline.advance() is False
    assert pipeline.current_stage == "completion"
    assert len(pipeline.transition_log) == 5


def test_a_stage_rolled_back_to_is_no_longer_completed() -> None:
    pipeline = MissionPipeline()
    pipeline.advance()
    pipeline.advance()
    assert pipeline.rollback() is True
    assert pipeline.current_stage == "validation"
    assert pipeline.completed_stages == ["planning"]
    assert pipeline.transition_log == [
        {"from": "planning", "to": "validation"},
        {"from": "validation", "to": "preparation"},
        {"from": "preparation", "to": "validation"},
    ]


@given(st.lists(st.booleans(), max_size=40))
def test_the_log_retells_every_move(forward: list[bool]) -> None:
    pipeline, index, log = MissionPipeline(), 0, []
    for step in forward:
        target = index + (1 if step else -1)
        possible = 0 <= target <= 5
        assert (pipeline.advance() if step else pipeline.rollback()) is possible
        if possible:
            log.append({"from": STAGES[index], "to": STAGES[target]})
            index = target
        assert pipeline.current_stage == STAGES[index]
    assert pipeline.transition_log == log


def test_artifacts_stay_by_name() -> None:
    pipeline = MissionPipeline()
    pipeline.attach_artifact("plan", {"burns": 2})
    pipeline.advance()
    pipeline.attach_artifact("plan", {"burns": 3})
    pipeline.attach_artifact("review", "ok")
    pipeline.rollback()
    assert pipeline.artifacts == {"plan": {"burns": 3}, "review": "ok"}


def test_pipelines_share_nothing_and_give_copies() -> None:
    one, other = MissionPipeline(), MissionPipeline()
    one.advance()
    one.attach_artifact("plan", 1)
    assert (other.transition_log, other.artifacts, other.current_stage) == ([], {}, "planning")
    one.transition_log[0]["to"] = "completion"
    one.transition_log.clear()
    one.artifacts.clear()
    one.completed_stages.clear()
    assert one.transition_log == [{"from": "planning", "to": "validation"}]
    assert one.artifacts == {"plan": 1}
    assert one.completed_stages == ["planning"]

"""A workflow in memory."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from aetherops.workflow import (
    STATES,
    TERMINAL_STATES,
    WorkflowEngine,
    can_transition,
    safe_advance,
    shortest_path,
)


def engine_in(state: str) -> WorkflowEngine:
    engine = WorkflowEngine()
    for step in (shortest_path("created", state) or [])[1:]:
        assert engine.advance(step)
    return engine


def test_a_workflow_starts_as_created_without_a_step() -> None:
    engine = WorkflowEngine()
    assert engine.state == "created"
    assert engine.history == ["created"]
    assert engine.step_count() == 0
    assert not engine.is_done()


def test_a_move_is_kept_in_the_history_and_counted() -> None:
    engine = WorkflowEngine()
    assert engine.advance("validated") is True
    assert engine.state == "validated"
    assert engine.history == ["created", "validated"]
    assert engine.step_count() == 1


@given(st.lists(st.sampled_from([*STATES, "nowhere"]), max_size=40))
def test_only_allowed_moves_change_anything(targets: list[str]) -> None:
    engine, state, history = WorkflowEngine(), "created", ["created"]
    for target in targets:
        allowed = can_transition(state, target)
        if allowed:
            state = target
            history.append(target)
        assert engine.advance(target) is allowed
        assert (engine.state, engine.history) == (state, history)
        assert engine.step_count() == len(history) - 1
        assert engine.is_done() is (state in TERMINAL_STATES)


def test_scripts_may_assign_to_the_attributes() -> None:
    engine = WorkflowEngine()
    engine.state = "review"
    engine.history.append("review")
    assert engine.step_count() == 1
    assert engine.advance("approved") is True
    assert engine.history == ["created", "review", "approved"]
    assert WorkflowEngine().history == ["created"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("target", STATES)
def test_a_safe_move_says_where_the_engine_stands(state: str, target: str) -> None:
    moves = can_transition(state, target)
    engine = engine_in(state)
    assert safe_advance(engine, target) == (moves, target if moves else state)
    assert engine.state == (target if moves else state)


def test_moving_into_a_terminal_state_is_safe() -> None:
    assert safe_advance(engine_in("executing"), "completed") == (True, "completed")


class Unbound(WorkflowEngine):
    """An engine that would make any move."""

    def advance(self, target: str) -> bool:
        self.state = target
        return True


def test_a_finished_workflow_is_not_even_asked() -> None:
    engine = Unbound()
    assert safe_advance(engine, "failed") == (True, "failed")
    assert safe_advance(engine, "created") == (False, "failed")

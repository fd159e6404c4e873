"""The table of states, told a second time and compared."""

from __future__ import annotations

from itertools import pairwise

import pytest

from aetherops.workflow import (
    STATES,
    TERMINAL_STATES,
    TRANSITIONS,
    can_transition,
    is_terminal_state,
    shortest_path,
)

MOVES = {
    ("created", "validated"),
    ("created", "cancelled"),
    ("validated", "scheduled"),
    ("validated", "failed"),
    ("scheduled", "in-progress"),
    ("scheduled", "cancelled"),
    ("in-progress", "review"),
    ("in-progress", "failed"),
    ("review", "approved"),
    ("review", "failed"),
    ("approved", "executing"),
    ("approved", "cancelled"),
    ("executing", "completed"),
    ("executing", "failed"),
}
MAIN_WAY = [
    "created",
    "validated",
    "scheduled",
    "in-progress",
    "review",
    "approved",
    "executing",
    "completed",
]


def test_the_states_are_in_the_order_a_workflow_meets_them() -> None:
    assert list(STATES) == [*MAIN_WAY, "failed", "cancelled"]
    assert list(TRANSITIONS) == list(STATES)


@pytest.mark.parametrize("start", STATES)
@pytest.mark.parametrize("end", STATES)
def test_exactly_the_listed_moves_are_allowed(start: str, end: str) -> None:
    assert can_transition(start, end) is ((start, end) in MOVES)
    assert (end in TRANSITIONS[start]) is ((start, end) in MOVES)


def test_the_ends_are_terminal_and_no_other_state() -> None:
    assert set(TERMINAL_STATES) == {"completed", "failed", "cancelled"}
    assert [state for state in STATES if is_terminal_state(state)] == [
        "completed",
        "failed",
        "cancelled",
    ]


def test_a_name_that_is_no_state_has_no_moves() -> None:
    assert not can_transition("nowhere", "created")
    assert not can_transition("created", "nowhere")
    assert not is_terminal_state("nowhere")
    assert shortest_path("nowhere", "created") is None
    assert shortest_path("nowhere", "nowhere") is None
    assert shortest_path("created", "nowhere") is None


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS["completed"] = ("created",)  # type: ignore[index]


def test_paths_hold_both_ends() -> None:
    assert shortest_path("created", "completed") == MAIN_WAY
    assert shortest_path("created", "cancelled") == ["created", "cancelled"]
    assert shortest_path("review", "review") == ["review"]


def test_there_is_no_way_back() -> None:
    assert shortest_path("completed", "created") is None
    assert shortest_path("review", "created") is None


def distances(start: str) -> dict[str, int]:
    """Fewest moves from a state to each other, by relaxing every move until nothing changes."""
    known = {start: 0}
    for _ in STATES:
        for a, b in MOVES:
            if a in known:
                known[b] = min(known.get(b, len(STATES)), known[a] + 1)
    return known


@pytest.mark.parametrize("start", STATES)
@pytest.mark.parametrize("end", STATES)
def test_a_path_is_made_of_moves_and_none_is_shorter(start: str, end: str) -> None:
    path = shortest_path(start, end)
    if path is None:
        assert end not in distances(start)
        return
    assert (path[0], path[-1]) == (start, end)
    assert set(pairwise(path)) <= MOVES
    assert len(path) - 1 == distances(start)[end]

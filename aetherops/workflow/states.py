"""The states of a workflow and the moves between them, and the stages of a mission."""

from __future__ import annotations

from collections import deque
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "STAGES",
    "STATES",
    "TERMINAL_STATES",
    "TRANSITIONS",
    "can_transition",
    "is_terminal_state",
    "shortest_path",
]

#: From each state, the states that a workflow may move to next.
TRANSITIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "created": ("validated", "cancelled"),
        "validated": ("scheduled", "failed"),
        "scheduled": ("in-progress", "cancelled"),
        "in-progress": ("review", "failed"),
        "review": ("approved", "failed"),
        "approved": ("executing", "cancelled"),
        "executing": ("completed", "failed"),
        "completed": (),
        "failed": (),
        "cancelled": (),
    }
)

#: Every state, in the order a workflow meets them, its ends last.
STATES: list[str] = list(TRANSITIONS)

#: The states that no move leaves.
TERMINAL_STATES: set[str] = {state for state, targets in TRANSITIONS.items() if not targets}

#: The stages of a mission, in order.
STAGES: list[str] = [
    "planning",
    "validation",
    "preparation",
    "execution",
    "monitoring",
    "completion",
]


def can_transition(current: str, target: str) -> bool:
    """Whether one move leads from `current` to `target`; False for names that are no states."""
    return target in TRANSITIONS.get(current, ())


def is_terminal_state(state: str) -> bool:
    """Whether no move leaves the state; False for a name that is no state."""
    return TRANSITIONS.get(state) == ()


def shortest_path(start: str, end: str) -> list[str] | None:
    """The states of a shortest way from `start` to `end`, both included, breadth first.

    ``[start]`` where they are the same; None where no way leads there, or a name is no state.
    Of ways of one length, the one whose moves stand first in `TRANSITIONS`.
    """
    if start not in TRANSITIONS:
        return None
    reached_from = {start: start}
    frontier = deque([start])
    while frontier and end not in reached_from:
        state = frontier.popleft()
        for target in TRANSITIONS[state]:
            if target not in reached_from:
                reached_from[target] = state
                frontier.append(target)
    return _walk_back(reached_from, end) if end in reached_from else None


def _walk_back(reached_from: Mapping[str, str], end: str) -> list[str]:
    path = [end]
    while (previous := reached_from[path[-1]]) != path[-1]:
        path.append(previous)
    return path[::-1]

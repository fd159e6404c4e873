"""One workflow's way through its states."""

from __future__ import annotations

from aetherops.workflow.states import STATES, can_transition, is_terminal_state

__all__ = ["WorkflowEngine", "safe_advance"]


class WorkflowEngine:
    """A workflow that starts as "created" and makes only moves that `TRANSITIONS` allows.

    `state` and `history` (every state so far, the first and the present one included) are plain
    attributes: a script that assigns to them changes the workflow.
    """

    state: str
    history: list[str]

    def __init__(self) -> None:
        self.state = STATES[0]
        self.history = [STATES[0]]

    def advance(self, target: str) -> bool:
        """Move to `target`; False, and nothing changes, where no move leads there."""
        if not can_transition(self.state, target):
            return False
        self.state = target
        self.history.append(target)
        return True

    def is_done(self) -> bool:
        """Whether the state is terminal."""
        return is_terminal_state(self.state)

    def step_count(self) -> int:
        """How many moves were made; 0 at the start."""
        return len(self.history) - 1


def safe_advance(engine: WorkflowEngine, target: str) -> tuple[bool, str]:
    """Try a move and say where the engine stands after it: ``(moved, state)``.

    A finished workflow is left alone; moving INTO a terminal state is as good as any other move.
    """
    if engine.is_done():
        return (False, engine.state)
    return (engine.advance(target), engine.state)

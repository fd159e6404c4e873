"""One workflow's way through its states, in memory."""

from __future__ import annotations

from aetherops.workflow.states import STATES, can_transition, is_terminal_state

__all__ = ["WorkflowEngine", "safe_advance"]


class WorkflowEngine:
    """A workflow that starts as "created" and makes only moves that `TRANSITIONS` allows."""

    def __init__(self) -> None:
        self._history = [STATES[0]]

    @property
    def state(self) -> str:
        """The state now."""
        return self._history[-1]

    @property
    def history(self) -> list[str]:
        """Every state so far, the first and the present one included; an independent list."""
        return self._history.copy()

    def advance(self, target: str) -> bool:
        """Move to `target`; False, and nothing changes, where no move leads there."""
        if not can_transition(self.state, target):
            return False
        self._history.append(target)
        return True

    def is_done(self) -> bool:
        """Whether the state is terminal."""
        return is_terminal_state(self.state)

    def step_count(self) -> int:
        """How many moves were made; 0 at the start."""
        return len(self._history) - 1


def safe_advance(engine: WorkflowEngine, target: str) -> tuple[bool, str]:
    """Try a move and say where the engine stands after it: ``(moved, state)``.

    A finished workflow is left alone; moving INTO a terminal state is as good as any other move.
    """
    if engine.is_done():
        return (False, engine.state)
    return (engine.advance(target), engine.state)

"""One workflow's way through its states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.workflow.states import STATES, can_transition, is_terminal_state

if TYPE_CHECKING:
    from typing import Unpack

    from aetherops.workflow.store import EventStore
    from aetherops.workflow.stored.engine import StoredWorkflowEngine
    from aetherops.workflow.stored.session import OpenOptions

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

    @classmethod
    def open(
        cls, store: EventStore, workflow_id: str, **options: Unpack[OpenOptions]
    ) -> StoredWorkflowEngine:
        """A workflow whose events are kept in a store; where it has none, it begins here.

        The store is used on the background loop of this process: one that belongs to a loop is
        made with `run_in_background`.

        Parameters
        ----------
        store : keeps its events.
        workflow_id : which workflow.
        options : see `OpenOptions`.

        Raises
        ------
        EventLoopError
            This thread runs an event loop: await `open_async`.
        InvalidInputError
            The id is that of a mission.
        WorkflowNotFoundError
            It has no event, and none is to be created.
        UnavailableError
            The store is away.
        """
        from aetherops.workflow.stored.opening import open_engine

        return open_engine(store, workflow_id, options)

    @classmethod
    async def open_async(
        cls, store: EventStore, workflow_id: str, **options: Unpack[OpenOptions]
    ) -> StoredWorkflowEngine:
        """The same as `open`, for a program that runs an event loop; the store is used there."""
        from aetherops.workflow.stored.opening import open_engine_async

        return await open_engine_async(store, workflow_id, options)


def safe_advance(engine: WorkflowEngine, target: str) -> tuple[bool, str]:
    """Try a move and say where the engine stands after it: ``(moved, state)``.

    A finished workflow is left alone; moving INTO a terminal state is as good as any other move.
    """
    if engine.is_done():
        return (False, engine.state)
    return (engine.advance(target), engine.state)

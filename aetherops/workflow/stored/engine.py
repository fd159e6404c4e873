"""`WorkflowEngine` on an event store."""

from __future__ import annotations

from typing import NoReturn

from aetherops.workflow.engine import WorkflowEngine
from aetherops.workflow.events import kinds
from aetherops.workflow.json_values import FrozenList
from aetherops.workflow.rules import end_kind, may_follow
from aetherops.workflow.states import STATES, can_transition
from aetherops.workflow.stored.session import StoredWorkflow

__all__ = ["StoredWorkflowEngine"]


class StoredWorkflowEngine(WorkflowEngine):
    """A workflow whose state is what its events say; `WorkflowEngine.open` makes one.

    Its attributes tell what is known here: every move that this object made or was refused, and
    what others did before. They can be read anywhere, and assigned nowhere.
    """

    def __init__(self, stored: StoredWorkflow) -> None:
        self._stored = stored

    @property
    def workflow_id(self) -> str:
        """Under which its events are kept."""
        return self._stored.state.workflow_id

    @property
    def version(self) -> int:
        """The version of the last event that is known here."""
        return self._stored.state.version

    @property
    def state(self) -> str:
        """The state now."""
        return self._stored.state.status

    @state.setter
    def state(self, _: str) -> NoReturn:
        raise AttributeError("the state is what the events say: call advance()")

    @property
    def history(self) -> list[str]:
        """Every state so far, the first and the present one included; it cannot be changed."""
        return FrozenList(self._stored.state.history)

    @history.setter
    def history(self, _: list[str]) -> NoReturn:
        raise AttributeError("the history is what the events say: call advance()")

    def advance(self, target: str) -> bool:
        """Move to `target`; False, and nothing changes, where no move leads there.

        Nor does one lead onward while an approval that was asked for is not granted. Where another
        moved the workflow first, the move is decided anew from where it is then.

        Raises
        ------
        EventLoopError
            This thread runs an event loop: await `advance_async`.
        UnavailableError
            The store is away. The move may have been recorded: made again, it is made once.
        """
        return self._stored.wait(
            self._advance(target), "WorkflowEngine.advance()", "await engine.advance_async(target)"
        )

    async def advance_async(self, target: str) -> bool:
        """The same as `advance`, for a program that runs an event loop."""
        return await self._stored.run(self._advance(target), "WorkflowEngine.advance_async()")

    def refresh(self) -> None:
        """Read what others did to the workflow meanwhile."""
        self._stored.wait(
            self._stored.refresh(), "WorkflowEngine.refresh()", "await engine.refresh_async()"
        )

    async def refresh_async(self) -> None:
        """The same as `refresh`, for a program that runs an event loop."""
        await self._stored.run(self._stored.refresh(), "WorkflowEngine.refresh_async()")

    def __reduce__(self) -> NoReturn:
        raise TypeError("its events are in a store: open it there")

    async def _advance(self, target: str) -> bool:
        while target in STATES:
            if not self._may_move(target):
                # Refused by what is known here; others may have changed what is allowed.
                if not await self._stored.refresh():
                    break
            elif await self._record_move(target):
                return True
        return False

    def _may_move(self, target: str) -> bool:
        """To a bad end at any time; onward once nobody's word is waited for."""
        kind = end_kind(target) or kinds.WorkflowMoved
        return can_transition(self.state, target) and may_follow(self._stored.state, kind)

    async def _record_move(self, target: str) -> bool:
        if (end := end_kind(target)) is not None:
            return await self._stored.record(end)
        return await self._stored.record(kinds.WorkflowMoved, source=self.state, target=target)

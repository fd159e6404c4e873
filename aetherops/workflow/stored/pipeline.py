"""`MissionPipeline` on an event store."""

from __future__ import annotations

from typing import Any, NoReturn

from aetherops.workflow.errors import ConcurrencyError
from aetherops.workflow.events import kinds
from aetherops.workflow.events.base import WorkflowEvent
from aetherops.workflow.json_values import FrozenDict, FrozenList
from aetherops.workflow.pipeline import MissionPipeline
from aetherops.workflow.rules import may_follow
from aetherops.workflow.stored.session import StoredWorkflow

__all__ = ["StoredMissionPipeline"]


class StoredMissionPipeline(MissionPipeline):
    """A mission whose state is what its events say; `MissionPipeline.open` makes one.

    Its attributes tell what is known here. They can be read anywhere, and assigned nowhere.
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
    def stage_index(self) -> int:
        """Where the mission is in `STAGES`."""
        return self._stored.state.stage_index

    @stage_index.setter
    def stage_index(self, _: int) -> NoReturn:
        raise AttributeError("the stage is what the events say: call advance() or rollback()")

    @property
    def completed_stages(self) -> list[str]:
        """The stages that are done, in order; it cannot be changed."""
        return FrozenList(self._stored.state.completed_stages)

    @completed_stages.setter
    def completed_stages(self, _: list[str]) -> NoReturn:
        raise AttributeError("the stages are what the events say: call advance() or rollback()")

    @property
    def artifacts(self) -> dict[str, Any]:
        """What was attached, by key; it cannot be changed."""
        return FrozenDict(self._stored.state.artifacts)

    @artifacts.setter
    def artifacts(self, _: dict[str, Any]) -> NoReturn:
        raise AttributeError("the artifacts are what the events say: call attach_artifact()")

    def transition_log(self) -> list[str]:
        """The stages that `advance` left, in order; an independent list."""
        return list(self._stored.state.stage_log)

    def advance(self) -> str:
        """Move to the next stage, and return the one that is current then; the last one stays.

        So does any while an approval that was asked for is not granted.

        Raises
        ------
        ConcurrencyError
            Another changed the mission, and nothing was moved: what it did is known here now.
        EventLoopError
            This thread runs an event loop: await `advance_async`.
        UnavailableError
            The store is away. The move may have been recorded: made again, it is made once.
        """
        return self._stored.wait(
            self._advance(), "MissionPipeline.advance()", "await pipeline.advance_async()"
        )

    async def advance_async(self) -> str:
        """The same as `advance`, for a program that runs an event loop."""
        return await self._stored.run(self._advance(), "MissionPipeline.advance_async()")

    def rollback(self) -> str:
        """Move to the stage before, and return the one that is current then; the first one stays.

        Raises
        ------
        ConcurrencyError, EventLoopError, UnavailableError
            As `advance` says.
        """
        return self._stored.wait(
            self._rollback(), "MissionPipeline.rollback()", "await pipeline.rollback_async()"
        )

    async def rollback_async(self) -> str:
        """The same as `rollback`, for a program that runs an event loop."""
        return await self._stored.run(self._rollback(), "MissionPipeline.rollback_async()")

    def attach_artifact(self, key: str, value: Any) -> None:
        """Keep a value under a key; a key given again has the later one.

        Raises
        ------
        InvalidInputError
            JSON cannot hold the value.
        EventLoopError, UnavailableError
            As `advance` says.
        """
        self._stored.wait(
            self._attach(key, value),
            "MissionPipeline.attach_artifact()",
            "await pipeline.attach_artifact_async(key, value)",
        )

    async def attach_artifact_async(self, key: str, value: Any) -> None:
        """The same as `attach_artifact`, for a program that runs an event loop."""
        await self._stored.run(self._attach(key, value), "MissionPipeline.attach_artifact_async()")

    def refresh(self) -> None:
        """Read what others did to the mission meanwhile."""
        self._stored.wait(
            self._stored.refresh(), "MissionPipeline.refresh()", "await pipeline.refresh_async()"
        )

    async def refresh_async(self) -> None:
        """The same as `refresh`, for a program that runs an event loop."""
        await self._stored.run(self._stored.refresh(), "MissionPipeline.refresh_async()")

    def __reduce__(self) -> NoReturn:
        raise TypeError("its events are in a store: open it there")

    async def _advance(self) -> str:
        if self._stays():
            # As far as is known here; a word may have been given meanwhile.
            known = self.stage_index
            await self._stored.refresh()
            if self._stays() or self.stage_index != known:
                return self.current_stage()
        return await self._move(kinds.StageAdvanced, +1)

    def _stays(self) -> bool:
        return self.is_complete() or not may_follow(self._stored.state, kinds.StageAdvanced)

    async def _rollback(self) -> str:
        if self.stage_index == 0:
            await self._stored.refresh()
            return self.current_stage()
        return await self._move(kinds.StageRolledBack, -1)

    async def _move(self, kind: type[WorkflowEvent], by: int) -> str:
        expected = self.version
        target = self.STAGES[self.stage_index + by]
        # Unlike a workflow's, the move does not say where it leads: decided anew after another's
        # move, it would lead to a stage that nobody asked for.
        if not await self._stored.record(kind, source=self.current_stage(), target=target):
            raise ConcurrencyError(self.workflow_id, expected, self.version)
        return target

    async def _attach(self, key: str, value: Any) -> None:
        while not await self._stored.record(kinds.ArtifactAttached, key=key, value=value):
            pass  # another event was first: this one comes after it

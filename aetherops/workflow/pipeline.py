"""A mission's stages, one after the other, with a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from aetherops.workflow.states import STAGES

if TYPE_CHECKING:
    from typing import Unpack

    from aetherops.workflow.store import EventStore
    from aetherops.workflow.stored.pipeline import StoredMissionPipeline
    from aetherops.workflow.stored.session import OpenOptions

__all__ = ["STAGES", "MissionPipeline"]


class MissionPipeline:
    """A mission that starts in planning and moves one stage at a time, forward or back.

    `stage_index`, `completed_stages` and `artifacts` are plain attributes: a script that assigns to
    them, or changes what they hold, changes the mission.
    """

    #: The stages, in order.
    STAGES: ClassVar[list[str]] = STAGES

    stage_index: int
    completed_stages: list[str]
    artifacts: dict[str, Any]

    def __init__(self) -> None:
        self.stage_index = 0
        self.completed_stages = []
        self.artifacts = {}
        self._transition_log: list[str] = []

    def current_stage(self) -> str:
        """The name of the stage now."""
        return self.STAGES[self.stage_index]

    def progress_pct(self) -> float:
        """How far the mission is: 0.0 in planning, 100.0 in completion, one decimal."""
        return round(self.stage_index / (len(self.STAGES) - 1) * 100, 1)

    def is_complete(self) -> bool:
        """Whether the mission is in its last stage."""
        return self.stage_index == len(self.STAGES) - 1

    def transition_log(self) -> list[str]:
        """The stages that `advance` left, in order; an independent list."""
        return list(self._transition_log)

    def advance(self) -> str:
        """Move to the next stage, and return the one that is current then; the last one stays."""
        if not self.is_complete():
            left = self.current_stage()
            self.completed_stages.append(left)
            self._transition_log.append(left)
            self.stage_index += 1
        return self.current_stage()

    def rollback(self) -> str:
        """Move to the stage before, and return the one that is current then; the first one stays.

        That stage is completed no longer. Artifacts and the log stay.
        """
        if self.stage_index > 0:
            self.stage_index -= 1
            if self.current_stage() in self.completed_stages:
                self.completed_stages.remove(self.current_stage())
        return self.current_stage()

    def attach_artifact(self, key: str, value: Any) -> None:
        """Keep a value under a key; a key given again has the later one."""
        self.artifacts[key] = value

    @classmethod
    def open(
        cls, store: EventStore, workflow_id: str, **options: Unpack[OpenOptions]
    ) -> StoredMissionPipeline:
        """A mission whose events are kept in a store; where it has none, it begins here.

        The store is used on the background loop of this process: one that belongs to a loop is
        made with `run_in_background`.

        Parameters
        ----------
        store : keeps its events.
        workflow_id : which mission.
        options : see `OpenOptions`.

        Raises
        ------
        EventLoopError
            This thread runs an event loop: await `open_async`.
        InvalidInputError
            The id is that of another workflow.
        WorkflowNotFoundError
            It has no event, and none is to be created.
        UnavailableError
            The store is away.
        """
        from aetherops.workflow.stored.opening import open_pipeline

        return open_pipeline(store, workflow_id, options)

    @classmethod
    async def open_async(
        cls, store: EventStore, workflow_id: str, **options: Unpack[OpenOptions]
    ) -> StoredMissionPipeline:
        """The same as `open`, for a program that runs an event loop; the store is used there."""
        from aetherops.workflow.stored.opening import open_pipeline_async

        return await open_pipeline_async(store, workflow_id, options)

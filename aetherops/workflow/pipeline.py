"""A mission's stages, one after the other, with a way back."""

from __future__ import annotations

from typing import Any

from aetherops.workflow.states import STAGES

__all__ = ["STAGES", "MissionPipeline"]

_LAST = len(STAGES) - 1


class MissionPipeline:
    """A mission that starts in planning and moves one stage at a time, forward or back.

    What a property returns is a copy: changing it changes no pipeline.
    """

    def __init__(self) -> None:
        self._index = 0
        self._artifacts: dict[str, Any] = {}
        self._transition_log: list[dict[str, str]] = []

    @property
    def current_stage(self) -> str:
        """The stage now."""
        return STAGES[self._index]

    @property
    def completed_stages(self) -> list[str]:
        """The stages before the current one, in order."""
        return list(STAGES[: self._index])

    @property
    def progress_pct(self) -> float:
        """How far the mission is: 0.0 in planning, 100.0 in completion, one decimal."""
        return round(self._index / _LAST * 100, 1)

    @property
    def artifacts(self) -> dict[str, Any]:
        """What was attached, by name."""
        return self._artifacts.copy()

    @property
    def transition_log(self) -> list[dict[str, str]]:
        """Every move of this pipeline as ``{"from", "to"}``, oldest first."""
        return [entry.copy() for entry in self._transition_log]

    def advance(self) -> bool:
        """Move to the next stage; False in the last one."""
        return self._move_to(self._index + 1)

    def rollback(self) -> bool:
        """Move back to the stage before; False in the first one. Artifacts stay."""
        return self._move_to(self._index - 1)

    def is_complete(self) -> bool:
        """Whether the mission is in its last stage."""
        return self._index == _LAST

    def attach_artifact(self, name: str, artifact: Any) -> None:
        """Keep an object under a name; a name given again has the later one."""
        self._artifacts[name] = artifact

    def _move_to(self, index: int) -> bool:
        if not 0 <= index <= _LAST:
            return False
        self._transition_log.append({"from": self.current_stage, "to": STAGES[index]})
        self._index = index
        return True

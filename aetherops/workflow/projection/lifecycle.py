"""The part of the fold that follows a workflow through its states, and a mission its stages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aetherops.instants import from_us, to_us
from aetherops.workflow.events import kinds
from aetherops.workflow.state import WorkflowState
from aetherops.workflow.states import STAGES, TERMINAL_STATES, can_transition

__all__ = ["LifecycleFold"]


class LifecycleFold:
    """Status, owner, pauses, stages and ends. Each method returns whether the rules allow it."""

    def __init__(self, state: WorkflowState) -> None:
        self.name, self.owner, self.form = state.name, state.owner, state.form
        self.input, self.result, self.error = state.input, state.result, state.error
        self.status, self.paused = state.status, state.paused
        self.history = list(state.history) or [state.status]
        self.stage_index, self.stage_log = state.stage_index, list(state.stage_log)
        self.completed_stages = list(state.completed_stages)
        self.created_at, self.updated_us = state.created_at, _us(state.updated_at)
        self.known_since = state.known_since

    @property
    def is_done(self) -> bool:
        """Whether no move leaves the status."""
        return self.status in TERMINAL_STATES

    def fields(self) -> dict[str, Any]:
        """The fields of `WorkflowState` that this part knows."""
        known = vars(self) | {
            "history": tuple(self.history),
            "completed_stages": tuple(self.completed_stages),
            "stage_log": tuple(self.stage_log),
            "updated_at": None if self.updated_us is None else from_us(self.updated_us),
        }
        del known["updated_us"]
        return known

    def touch(self, at_us: int) -> None:
        """Remember when the last event occurred; the first one is the beginning."""
        if self.created_at is None:
            self.created_at = from_us(at_us)
        self.updated_us = at_us

    def created(self, event: kinds.WorkflowCreated) -> bool:
        self.name, self.owner, self.form = event.name, event.owner, event.form
        self.input = event.input
        return event.version == 1

    def assigned(self, event: kinds.OwnerAssigned) -> bool:
        self.owner = event.owner
        return True

    def moved(self, event: kinds.WorkflowMoved) -> bool:
        return self._move(event.target, event.source)

    def completed(self, event: kinds.WorkflowCompleted) -> bool:
        self.result = event.result
        return self._move("completed")

    def failed(self, event: kinds.WorkflowFailed) -> bool:
        self.error = event.error
        return self._move("failed")

    def cancelled(self, event: kinds.WorkflowCancelled) -> bool:
        return self._move("cancelled")

    def paused_by(self, event: kinds.WorkflowPaused) -> bool:
        allowed = not self.paused and not self.is_done
        self.paused = True
        return allowed

    def resumed_by(self, event: kinds.WorkflowResumed) -> bool:
        allowed = self.paused and not self.is_done
        self.paused = False
        return allowed

    def stage_advanced(self, event: kinds.StageAdvanced) -> bool:
        allowed = self._change_stage(event.source, event.target, +1)
        self.stage_log.append(event.source)
        self.completed_stages.append(event.source)
        return allowed

    def stage_rolled_back(self, event: kinds.StageRolledBack) -> bool:
        if event.target in self.completed_stages:
            self.completed_stages.remove(event.target)
        return self._change_stage(event.source, event.target, -1)

    def _move(self, target: str, source: str | None = None) -> bool:
        allowed = can_transition(self.status, target) and source in (None, self.status)
        self.status = target
        self.history.append(target)
        return allowed

    def _change_stage(self, source: str, target: str, by: int) -> bool:
        before, after = STAGES.index(source), STAGES.index(target)
        allowed = before == self.stage_index and after - before == by
        self.stage_index = after
        return allowed


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)

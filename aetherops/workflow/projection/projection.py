"""The fold from events to the state of a workflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

from aetherops.errors import InvalidInputError
from aetherops.instants import to_us
from aetherops.workflow.errors import MissingEventError
from aetherops.workflow.events import kinds
from aetherops.workflow.events.base import WorkflowEvent, require_event
from aetherops.workflow.json_values import JsonValue
from aetherops.workflow.projection.approvals import ApprovalsFold
from aetherops.workflow.projection.lifecycle import LifecycleFold
from aetherops.workflow.projection.steps import StepsFold
from aetherops.workflow.state import WorkflowState
from aetherops.workflow.state_json import state_from_json

__all__ = ["PROJECTION_VERSION", "WorkflowProjection"]

#: Grows when the same events give another state: kept states of earlier versions are not used.
PROJECTION_VERSION = 1


class WorkflowProjection:
    """Rebuilds the state of one workflow from its events: a pure fold, the same from any cut.

    It says what happened, and refuses nothing that is stored: an event that the rules do not allow
    counts, and its version is listed in ``state.irregular``.

    Parameters
    ----------
    state : where to go on from; no event yet where not given.
    """

    def __init__(self, state: WorkflowState | None = None) -> None:
        self._at_us = 0  # when the event at hand occurred
        self._begin(state or WorkflowState(""))

    def _begin(self, state: WorkflowState) -> None:
        self._workflow_id = state.workflow_id
        self._version = state.version
        self._lifecycle = LifecycleFold(state)
        self._steps = StepsFold(state.steps)
        self._approvals = ApprovalsFold(state.approvals)
        self._timers = dict(state.timers)
        self._artifacts = dict(state.artifacts)
        self._irregular = list(state.irregular)

    @classmethod
    def of(cls, events: Iterable[WorkflowEvent]) -> WorkflowState:
        """The state that these events say."""
        return cls().apply_many(events).state

    @property
    def version(self) -> int:
        """The version of the last event; 0 before the first."""
        return self._version

    @property
    def state(self) -> WorkflowState:
        """The state now; later events do not change it."""
        return WorkflowState(
            workflow_id=self._workflow_id,
            version=self._version,
            steps=self._steps.by_name(),
            approvals=self._approvals.by_name(),
            timers=dict(self._timers),
            artifacts=dict(self._artifacts),
            irregular=tuple(self._irregular),
            **self._lifecycle.fields(),
        )

    def apply(self, event: WorkflowEvent) -> Self:
        """Take the next event; returns the projection itself.

        Raises
        ------
        InvalidInputError
            No event, or one of another workflow.
        MissingEventError
            Not the next version.
        """
        fold = _FOLDS.get(type(event)) or _fold_unknown(event)
        version = self._version + 1
        if event.version != version:
            raise MissingEventError("version", version, event.version)
        if version == 1:
            self._workflow_id = event.workflow_id
        elif event.workflow_id != self._workflow_id:
            raise InvalidInputError("event.workflow_id", event.workflow_id, self._workflow_id)
        self._version = version
        self._at_us = to_us(event.occurred_at)
        if not fold(self, event):
            self._irregular.append(version)
        self._lifecycle.touch(self._at_us)
        return self

    def step_started(
        self, version: int, at_us: int, step: str, attempt: int, executor: str | None
    ) -> None:
        """Take a `StepStarted` as `apply` does, without the event: most of a long history is steps.

        Parameters
        ----------
        version, at_us : of an event of this workflow, and when it occurred, in microseconds since
            1970; not of the first event.
        step, attempt, executor : as the event would have them.

        Raises
        ------
        MissingEventError
            Not the next version.
        """
        if version != self._version + 1:
            raise MissingEventError("version", self._version + 1, version)
        self._version = version
        if not self._start(step, attempt, executor, at_us):
            self._irregular.append(version)
        self._lifecycle.updated_us = at_us

    def step_completed(
        self,
        version: int,
        at_us: int,
        step: str,
        attempt: int,
        result: Any,
        read: Callable[[Any], JsonValue],
    ) -> None:
        """Take a `StepCompleted` in the same way.

        Parameters
        ----------
        result : as stored.
        read : makes of it what the event would have; asked where the result counts. What it raises
            goes to the caller, and nothing is taken.
        """
        if version != self._version + 1:
            raise MissingEventError("version", self._version + 1, version)
        if not self._steps.completed(step, attempt, result, at_us, read):
            self._irregular.append(version)
        self._version = version
        self._lifecycle.updated_us = at_us

    def apply_many(self, events: Iterable[WorkflowEvent]) -> Self:
        """Take the next events, in order; see `apply`."""
        for event in events:
            self.apply(event)
        return self

    # What each kind of event changes; each returns whether the rules allow it.

    def _snapshot(self, event: kinds.SnapshotTaken) -> bool:
        version, irregular = self._version, self._irregular
        self._begin(state_from_json(event.state))
        self._workflow_id, self._version, self._irregular = event.workflow_id, version, irregular
        self._lifecycle.known_since = event.occurred_at
        return version == 1

    def _step_started(self, event: kinds.StepStarted) -> bool:
        return self._start(event.step, event.attempt, event.executor, self._at_us)

    def _start(self, step: str, attempt: int, executor: str | None, at_us: int) -> bool:
        allowed = not self._lifecycle.paused and not self._lifecycle.is_done
        return self._steps.started(step, attempt, executor, at_us) and allowed

    def _step_completed(self, event: kinds.StepCompleted) -> bool:
        return self._steps.completed(event.step, event.attempt, event.result, self._at_us)

    def _step_failed(self, event: kinds.StepFailed) -> bool:
        retry_us = None if event.retry_at is None else to_us(event.retry_at)
        return self._steps.failed(event.step, event.attempt, event.error, retry_us, self._at_us)

    def _timer_set(self, event: kinds.TimerSet) -> bool:
        self._timers[event.timer] = event.due_at
        return not self._lifecycle.is_done

    def _timer_gone(self, event: kinds.TimerFired | kinds.TimerCancelled) -> bool:
        return self._timers.pop(event.timer, None) is not None

    def _artifact(self, event: kinds.ArtifactAttached) -> bool:
        self._artifacts[event.key] = event.value
        return True


_Fold = Callable[[WorkflowProjection, Any], bool]


def _fold_unknown(event: object) -> _Fold:
    """Of a kind that a program declared itself: its own projections know what it means."""
    require_event(event)
    return lambda _, __: True


_FOLDS: dict[type[WorkflowEvent], _Fold] = {
    kinds.WorkflowCreated: lambda p, event: p._lifecycle.created(event),
    kinds.WorkflowMoved: lambda p, event: p._lifecycle.moved(event),
    kinds.WorkflowCompleted: lambda p, event: p._lifecycle.completed(event),
    kinds.WorkflowFailed: lambda p, event: p._lifecycle.failed(event),
    kinds.WorkflowCancelled: lambda p, event: p._lifecycle.cancelled(event),
    kinds.WorkflowPaused: lambda p, event: p._lifecycle.paused_by(event),
    kinds.WorkflowResumed: lambda p, event: p._lifecycle.resumed_by(event),
    kinds.OwnerAssigned: lambda p, event: p._lifecycle.assigned(event),
    kinds.StageAdvanced: lambda p, event: p._lifecycle.stage_advanced(event),
    kinds.StageRolledBack: lambda p, event: p._lifecycle.stage_rolled_back(event),
    kinds.StepStarted: WorkflowProjection._step_started,
    kinds.StepCompleted: WorkflowProjection._step_completed,
    kinds.StepFailed: WorkflowProjection._step_failed,
    kinds.ApprovalRequested: lambda p, event: p._approvals.requested(event),
    kinds.ApprovalGranted: lambda p, event: p._approvals.granted(event),
    kinds.ApprovalRefused: lambda p, event: p._approvals.refused(event),
    kinds.TimerSet: WorkflowProjection._timer_set,
    kinds.TimerFired: WorkflowProjection._timer_gone,
    kinds.TimerCancelled: WorkflowProjection._timer_gone,
    kinds.ArtifactAttached: WorkflowProjection._artifact,
    kinds.SnapshotTaken: WorkflowProjection._snapshot,
}

"""The kinds of events: everything that can happen to a workflow, in the order it is met."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from aetherops.workflow.events.base import Form, Name, Stage, State, WorkflowEvent, event_kind
from aetherops.workflow.json_values import FrozenDict, JsonValue

__all__ = [
    "KINDS",
    "ApprovalGranted",
    "ApprovalRefused",
    "ApprovalRequested",
    "ArtifactAttached",
    "OwnerAssigned",
    "SnapshotTaken",
    "StageAdvanced",
    "StageRolledBack",
    "StepCompleted",
    "StepFailed",
    "StepStarted",
    "TimerCancelled",
    "TimerFired",
    "TimerSet",
    "WorkflowCancelled",
    "WorkflowCompleted",
    "WorkflowCreated",
    "WorkflowFailed",
    "WorkflowMoved",
    "WorkflowPaused",
    "WorkflowResumed",
]

#: What `state_to_json` says.
StateJson: TypeAlias = dict[str, JsonValue]


@event_kind("workflow.created")
@dataclass(frozen=True, kw_only=True)
class WorkflowCreated(WorkflowEvent):
    """A workflow begins.

    Parameters
    ----------
    name : what kind of work it is (``"orbit-raise"``); of one name there are many workflows.
    owner : who answers for it.
    form : ``"workflow"`` where it moves through `STATES`, ``"mission"`` through `STAGES`.
    input : what it was started with.
    """

    version: int = field(default=1, kw_only=False)
    name: Name = "workflow"
    owner: Name | None = None
    form: Form = "workflow"
    input: JsonValue = None


@event_kind("workflow.moved")
@dataclass(frozen=True, kw_only=True)
class WorkflowMoved(WorkflowEvent):
    """It moved from one state of `STATES` to another; the ends have kinds of their own.

    Parameters
    ----------
    source, target : the states.
    reason : why, in words.
    """

    source: State
    target: State
    reason: str = ""


@event_kind("step.started")
@dataclass(frozen=True, kw_only=True)
class StepStarted(WorkflowEvent):
    """An attempt at a step begins; its effect, if any, comes after this event.

    Parameters
    ----------
    step : its name in the workflow.
    attempt : the how-manieth, from 1.
    executor : which process does it.
    input : what it is done with.
    """

    step: Name
    attempt: int = 1
    executor: Name | None = None
    input: JsonValue = None


@event_kind("step.completed")
@dataclass(frozen=True, kw_only=True)
class StepCompleted(WorkflowEvent):
    """An attempt at a step succeeded; a step completes at most once.

    Parameters
    ----------
    step, attempt : which.
    result : what came of it.
    """

    step: Name
    attempt: int = 1
    result: JsonValue = None


@event_kind("step.failed")
@dataclass(frozen=True, kw_only=True)
class StepFailed(WorkflowEvent):
    """An attempt at a step failed.

    Parameters
    ----------
    step, attempt : which.
    error : what went wrong, in words.
    retry_at : when it is tried again; None where it is not.
    """

    step: Name
    attempt: int = 1
    error: str = ""
    retry_at: datetime | None = None


@event_kind("workflow.completed")
@dataclass(frozen=True, kw_only=True)
class WorkflowCompleted(WorkflowEvent):
    """The workflow came to its good end; its state is "completed"."""

    result: JsonValue = None


@event_kind("workflow.failed")
@dataclass(frozen=True, kw_only=True)
class WorkflowFailed(WorkflowEvent):
    """The workflow came to its bad end; its state is "failed".

    Parameters
    ----------
    error : what went wrong, in words.
    """

    error: str = ""


@event_kind("workflow.cancelled")
@dataclass(frozen=True, kw_only=True)
class WorkflowCancelled(WorkflowEvent):
    """Somebody ended the workflow; its state is "cancelled"."""

    reason: str = ""


@event_kind("workflow.paused")
@dataclass(frozen=True, kw_only=True)
class WorkflowPaused(WorkflowEvent):
    """No further step begins until it is resumed."""

    reason: str = ""


@event_kind("workflow.resumed")
@dataclass(frozen=True, kw_only=True)
class WorkflowResumed(WorkflowEvent):
    """Steps may begin again."""

    reason: str = ""


@event_kind("owner.assigned")
@dataclass(frozen=True, kw_only=True)
class OwnerAssigned(WorkflowEvent):
    """Another answers for the workflow from now on."""

    owner: Name


@event_kind("approval.requested")
@dataclass(frozen=True, kw_only=True)
class ApprovalRequested(WorkflowEvent):
    """Somebody has to say yes before the work goes on.

    Parameters
    ----------
    approval : what it is called in the workflow (``"burn-go"``).
    role : whose word it takes.
    until : when it is too late.
    """

    approval: Name
    role: Name = "operator"
    until: datetime | None = None


@event_kind("approval.granted")
@dataclass(frozen=True, kw_only=True)
class ApprovalGranted(WorkflowEvent):
    """The actor said yes."""

    approval: Name
    comment: str = ""


@event_kind("approval.refused")
@dataclass(frozen=True, kw_only=True)
class ApprovalRefused(WorkflowEvent):
    """The actor said no."""

    approval: Name
    comment: str = ""


@event_kind("timer.set")
@dataclass(frozen=True, kw_only=True)
class TimerSet(WorkflowEvent):
    """Something is to happen later.

    Parameters
    ----------
    timer : its name in the workflow; set again, it replaces the one before.
    due_at : when.
    """

    timer: Name
    due_at: datetime


@event_kind("timer.fired")
@dataclass(frozen=True, kw_only=True)
class TimerFired(WorkflowEvent):
    """The time had come."""

    timer: Name


@event_kind("timer.cancelled")
@dataclass(frozen=True, kw_only=True)
class TimerCancelled(WorkflowEvent):
    """Nothing is to happen any more."""

    timer: Name


@event_kind("artifact.attached")
@dataclass(frozen=True, kw_only=True)
class ArtifactAttached(WorkflowEvent):
    """Something was put to the workflow under a key; given again, the later one counts."""

    key: str
    value: JsonValue = None


@event_kind("stage.advanced")
@dataclass(frozen=True, kw_only=True)
class StageAdvanced(WorkflowEvent):
    """A mission went from one stage of `STAGES` to the next."""

    source: Stage
    target: Stage


@event_kind("stage.rolled-back")
@dataclass(frozen=True, kw_only=True)
class StageRolledBack(WorkflowEvent):
    """A mission went back from one stage of `STAGES` to the one before."""

    source: Stage
    target: Stage


@event_kind("snapshot.taken")
@dataclass(frozen=True, kw_only=True)
class SnapshotTaken(WorkflowEvent):
    """The state of a workflow that lived before its events were kept; its first event here.

    What it was before this instant is unknown.

    Parameters
    ----------
    state : the whole state, as `state_to_json` says it.
    source : what it was taken from (``"WorkflowEngine"``).
    """

    version: int = field(default=1, kw_only=False)
    state: StateJson = field(default_factory=FrozenDict)
    source: Name = "unknown"


#: Every kind by the name it is stored under.
KINDS: dict[str, type[WorkflowEvent]] = {
    cls.kind: cls
    for cls in (
        WorkflowCreated,
        WorkflowMoved,
        StepStarted,
        StepCompleted,
        StepFailed,
        WorkflowCompleted,
        WorkflowFailed,
        WorkflowCancelled,
        WorkflowPaused,
        WorkflowResumed,
        OwnerAssigned,
        ApprovalRequested,
        ApprovalGranted,
        ApprovalRefused,
        TimerSet,
        TimerFired,
        TimerCancelled,
        ArtifactAttached,
        StageAdvanced,
        StageRolledBack,
        SnapshotTaken,
    )
}

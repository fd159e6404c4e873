"""The state of a workflow, as its events say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from aetherops.instants import from_us
from aetherops.workflow.json_values import JsonValue
from aetherops.workflow.states import STAGES, is_terminal_state, shortest_path

__all__ = ["Approval", "Attempt", "Step", "WorkflowState"]

_GOOD_WAY = tuple(shortest_path("created", "completed") or ())


class Attempt(NamedTuple):
    """One try at a step: a tuple of plain values, since long histories have very many.

    Parameters
    ----------
    number : from 1.
    status : ``"running"``, ``"completed"`` or ``"failed"``.
    started_us, ended_us : when, in microseconds since 1970; None where it is not known, or not yet.
    executor : which process did it.
    error : what went wrong.
    retry_us : when it is tried again.
    """

    number: int
    status: str
    started_us: int | None = None
    ended_us: int | None = None
    executor: str | None = None
    error: str | None = None
    retry_us: int | None = None

    @property
    def started_at(self) -> datetime | None:
        """When it began, in UTC."""
        return _instant(self.started_us)

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, in UTC."""
        return _instant(self.ended_us)

    @property
    def retry_at(self) -> datetime | None:
        """When it is tried again, in UTC."""
        return _instant(self.retry_us)


def _instant(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)


class Step(NamedTuple):
    """A step of a workflow: its tries, oldest first, and what came of it.

    Parameters
    ----------
    name : of the step.
    status : of the last try, or ``"completed"`` as soon as one was.
    attempts : every try.
    result : of the one that completed.
    """

    name: str
    status: str
    attempts: tuple[Attempt, ...]
    result: JsonValue = None


@dataclass(frozen=True, slots=True)
class Approval:
    """A word that the work waits for.

    Parameters
    ----------
    name : of the approval.
    status : ``"requested"``, ``"granted"`` or ``"refused"``.
    role : whose word it takes.
    requested_at, until : since when, and until when.
    decided_at, decided_by, comment : once there is an answer.
    """

    name: str
    status: str
    role: str = "operator"
    requested_at: datetime | None = None
    until: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    comment: str = ""


@dataclass(frozen=True)
class WorkflowState:
    """Everything that the events up to a version say of a workflow. It cannot change.

    Parameters
    ----------
    workflow_id : which workflow.
    version : of the last event; 0 before the first.
    name, owner, form, input : as `WorkflowCreated` says, or `OwnerAssigned` since.
    status : one of `STATES`.
    history : every status so far, in order, the first and the present one included.
    paused : whether no step is to begin.
    steps, approvals, timers, artifacts : by name; timers by when they are due.
    stage_index, completed_stages, stage_log : of a mission: where it is in `STAGES`, which stages
        are done, and which it left forward, in order.
    result, error : of its end.
    created_at, updated_at : when the first and the last event occurred.
    known_since : when it was captured from a program that kept no events; None otherwise.
    irregular : versions of events that `TRANSITIONS` or the order of steps does not allow; they
        happened, so they count.
    """

    workflow_id: str
    version: int = 0
    name: str = "workflow"
    owner: str | None = None
    form: str = "workflow"
    input: JsonValue = None
    status: str = "created"
    history: tuple[str, ...] = ()
    paused: bool = False
    steps: Mapping[str, Step] = field(default_factory=dict)
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    timers: Mapping[str, datetime] = field(default_factory=dict)
    artifacts: Mapping[str, JsonValue] = field(default_factory=dict)
    stage_index: int = 0
    completed_stages: tuple[str, ...] = ()
    stage_log: tuple[str, ...] = ()
    result: JsonValue = None
    error: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    known_since: datetime | None = None
    irregular: tuple[int, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether no move leaves its status."""
        return is_terminal_state(self.status)

    @property
    def progress_pct(self) -> float:
        """How far it came on the way to its good end, 0.0 to 100.0, one decimal."""
        if self.form == "mission":
            return round(self.stage_index / (len(STAGES) - 1) * 100, 1)
        reached = max((_GOOD_WAY.index(s) for s in self.history if s in _GOOD_WAY), default=0)
        return round(reached / (len(_GOOD_WAY) - 1) * 100, 1)

"""The fold from a batch of stored events to the rows of the read models."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aetherops.errors import AetherOpsError
from aetherops.instants import from_us, to_us
from aetherops.workflow.errors import MissingEventError, UnknownSchemaVersionError
from aetherops.workflow.events import kinds
from aetherops.workflow.events.base import WorkflowEvent
from aetherops.workflow.events.codec import EventCodec
from aetherops.workflow.projection.projection import PROJECTION_VERSION, WorkflowProjection
from aetherops.workflow.read_models.ports import listable
from aetherops.workflow.read_models.rows import (
    EventRow,
    Interval,
    ParkedWorkflow,
    SummaryRow,
    furthest,
)
from aetherops.workflow.snapshots.reading import SNAPSHOT_EVERY
from aetherops.workflow.state import WorkflowState
from aetherops.workflow.states import STAGES

__all__ = ["FOLD_VERSION", "Folded", "SummaryFold"]

#: Grows when the same events give other rows: what was filled before is filled anew.
FOLD_VERSION = 1

_Change = Callable[[SummaryRow, Any], None]
_Columns = Any  # of the driver: a tuple in all but its type


@dataclass(slots=True)
class Folded:
    """What a batch of events changed.

    Parameters
    ----------
    position : of its last event.
    count : its events.
    recorded_at : when the last one was.
    rows : of the workflows that it had events of, by id.
    intervals : that ended in it.
    parked : workflows that are not followed from here on.
    snapshots_due : the version of each workflow that passed a multiple of `SNAPSHOT_EVERY`.
    """

    position: int
    count: int = 0
    recorded_at: datetime | None = None
    rows: dict[str, SummaryRow] = field(default_factory=dict)
    intervals: list[Interval] = field(default_factory=list)
    parked: list[ParkedWorkflow] = field(default_factory=list)
    snapshots_due: dict[str, int] = field(default_factory=dict)

    def follow(self, later: Folded) -> None:
        """Go on with what the events after it changed: as if both had been one batch."""
        self.position, self.recorded_at = later.position, later.recorded_at
        self.count += later.count
        self.rows.update(later.rows)
        self.intervals += later.intervals
        self.parked += later.parked
        self.snapshots_due.update(later.snapshots_due)


class SummaryFold:
    """Folds events into `SummaryRow` and `Interval`, and leaves alone what it cannot read.

    A step that begins anew after it completed, which the rules do not allow, counts as running
    until it ends; nothing else differs from `WorkflowProjection`.

    Parameters
    ----------
    codec : the kinds and upcasters that are known.
    parse : JSON bytes to an object, for the payloads of steps.
    """

    def __init__(
        self, codec: EventCodec | None = None, parse: Callable[[bytes], Any] = json.loads
    ) -> None:
        self._codec = codec or EventCodec()
        self._parse = parse
        self._kinds = self._codec.kinds
        #: Of programs whose versions differ, the one whose is greater fills the read models: it
        #: grows with this fold, with the projection, and with each kind and schema version.
        self.version = (FOLD_VERSION * 1000 + PROJECTION_VERSION) * 1_000_000 + sum(
            cls.schema_version for cls in self._kinds.values()
        )
        self._by_kind = self._quick_ways()
        #: The kinds whose payload says nothing that is kept here.
        self.needless = sorted(name for name, cls in self._kinds.items() if cls not in _READ)

    def take(
        self, after: int, events: Sequence[_Columns], rows: dict[str, SummaryRow], parked: set[str]
    ) -> Folded:
        """Fold the next events; changes `rows` and adds to `parked`.

        Parameters
        ----------
        after : the position that was folded last.
        events : those that follow: the columns of `EventRow`.
        rows : of every workflow that has an event among them and one before.
        parked : ids that are passed over.

        Raises
        ------
        MissingEventError
            A position is missing; nothing of `rows` may be used any more.
        """
        folded = Folded(after + len(events), len(events))
        if events:
            folded.recorded_at = from_us(events[-1][6])
        changed, by_kind, position = folded.rows, self._by_kind, after
        for event in events:
            at, workflow_id, version, kind, schema_version, _, recorded_us, data = event
            position += 1
            if at != position:
                raise MissingEventError("position", position, at)
            if parked and workflow_id in parked:
                continue
            row = rows.get(workflow_id) or SummaryRow.begin(EventRow._make(event))
            try:
                if version != row.version + 1:
                    raise MissingEventError("version", row.version + 1, version)
                quick = by_kind.get((kind, schema_version), _LOOK)
                if quick is _LOOK:
                    self._take_whole(row, EventRow._make(event), folded)
                elif quick is not None:
                    quick(row, self._parse(data))
            except Exception as error:  # upcasters are programs too, and may raise anything
                parked.add(workflow_id)
                reason = self._reason(EventRow._make(event), error)
                folded.parked.append(ParkedWorkflow(workflow_id, position, reason))
                continue
            rows[workflow_id] = changed[workflow_id] = row
            row.version, row.position, row.recorded_us = version, position, recorded_us
            if version % SNAPSHOT_EVERY == 0:
                folded.snapshots_due[workflow_id] = version
        return folded

    def _take_whole(self, row: SummaryRow, event: EventRow, folded: Folded) -> None:
        """Take an event in that changes more than a step; raises where it cannot be read."""
        kind, schema_version = event.kind, event.schema_version
        if event.data is None:
            cls, known, says = self._kinds[kind], self._kinds[kind].schema_version, None
            if schema_version > known:
                raise UnknownSchemaVersionError(
                    kind, schema_version, f"this version knows 1 to {known}"
                )
        else:
            says = self._codec.decode(kind, schema_version, event.data, _envelope(event))
            cls = type(says)
        change = _READ.get(cls) or _PLAIN.get(cls)
        if change is not None:
            _apply(row, event, change, says, folded)

    def _reason(self, event: EventRow, error: Exception) -> str:
        """Why it cannot be read, in the words of who reads it whole."""
        if event.data is not None and not isinstance(error, AetherOpsError):
            try:
                self._codec.decode(event.kind, event.schema_version, event.data, _envelope(event))
            except Exception as told:
                error = told
        return listable(f"{type(error).__name__}: {error}") or ""

    def _quick_ways(self) -> dict[tuple[str, int], _Change | None]:
        """What kinds of today change that need not be made whole: of steps, or nothing."""
        return {
            (name, cls.schema_version): _STEPS.get(cls)
            for name, cls in self._kinds.items()
            if cls in _STEPS or (cls not in _READ and cls not in _PLAIN)
        }


def _envelope(event: EventRow) -> dict[str, Any]:
    """As much of it as changes look at."""
    return {
        "workflow_id": event.workflow_id,
        "version": event.version,
        "occurred_at": from_us(event.occurred_us),
    }


def _apply(row: SummaryRow, event: EventRow, change: _Change, says: Any, folded: Folded) -> None:
    """Let the event change the row; what it was before is an interval, where that is another."""
    status, owner, paused = row.status, row.owner, row.paused
    change(row, says)
    if row.status is status and row.owner is owner and row.paused is paused:
        return
    if (row.status, row.owner, row.paused) == (status, owner, paused):
        return
    if row.since_position < event.position:
        folded.intervals.append(
            Interval(row.workflow_id, status, owner, paused, row.since_position, event.position)
        )
    row.since_position = event.position


def _look(_: SummaryRow, __: object) -> None:
    """Stands for: what this changes is seen once the event is made whole."""


_LOOK: _Change = _look

# What each kind changes. Those that need their payload:


def _created(row: SummaryRow, event: kinds.WorkflowCreated) -> None:
    row.is_begun_anew = True
    row.name, row.owner, row.form = event.name, event.owner, event.form


def _captured(row: SummaryRow, event: kinds.SnapshotTaken) -> None:
    row.is_begun_anew = True
    before = WorkflowState(event.workflow_id, version=event.version - 1)
    state = WorkflowProjection(before).apply(event).state
    row.name, row.owner, row.form, row.status = state.name, state.owner, state.form, state.status
    row.paused, row.stage = state.paused, state.stage_index
    row.error = listable(state.error)
    row.reached = furthest(state.history)
    row.running_steps = {one.name for one in state.steps.values() if one.status == "running"}
    row.pending_approvals = {
        one.name for one in state.approvals.values() if one.status == "requested"
    }
    row.created_us = to_us(state.created_at or event.occurred_at)
    row.known_since_us = to_us(event.occurred_at)


def _assigned(row: SummaryRow, event: kinds.OwnerAssigned) -> None:
    row.owner = event.owner


def _moved(row: SummaryRow, event: kinds.WorkflowMoved) -> None:
    row.move(event.target)


def _failed(row: SummaryRow, event: kinds.WorkflowFailed) -> None:
    row.error = listable(event.error)
    row.move("failed")


def _stage(row: SummaryRow, event: kinds.StageAdvanced | kinds.StageRolledBack) -> None:
    row.stage = STAGES.index(event.target)


def _asked(row: SummaryRow, event: kinds.ApprovalRequested) -> None:
    row.pending_approvals.add(event.approval)


def _answered(row: SummaryRow, event: kinds.ApprovalGranted | kinds.ApprovalRefused) -> None:
    row.pending_approvals.discard(event.approval)


def _step_started(row: SummaryRow, event: kinds.StepStarted) -> None:
    row.running_steps.add(event.step)


def _step_ended(row: SummaryRow, event: kinds.StepCompleted | kinds.StepFailed) -> None:
    row.running_steps.discard(event.step)


_READ: dict[type[WorkflowEvent], _Change] = {
    kinds.WorkflowCreated: _created,
    kinds.SnapshotTaken: _captured,
    kinds.OwnerAssigned: _assigned,
    kinds.WorkflowMoved: _moved,
    kinds.WorkflowFailed: _failed,
    kinds.StageAdvanced: _stage,
    kinds.StageRolledBack: _stage,
    kinds.ApprovalRequested: _asked,
    kinds.ApprovalGranted: _answered,
    kinds.ApprovalRefused: _answered,
    kinds.StepStarted: _step_started,
    kinds.StepCompleted: _step_ended,
    kinds.StepFailed: _step_ended,
}


def _set_paused(paused: bool) -> _Change:
    def change(row: SummaryRow, _: object) -> None:
        row.paused = paused

    return change


# Those that are said by their kind alone.
_PLAIN: dict[type[WorkflowEvent], _Change] = {
    kinds.WorkflowCompleted: lambda row, _: row.move("completed"),
    kinds.WorkflowCancelled: lambda row, _: row.move("cancelled"),
    kinds.WorkflowPaused: _set_paused(True),
    kinds.WorkflowResumed: _set_paused(False),
}


def _step_of(payload: Any) -> str:
    step = payload["step"]
    if not isinstance(step, str) or "\0" in step:
        raise TypeError("a step that is no name")
    return step


# Most events are of steps, and all that counts of them is the name: these are not made whole.
_STEPS: dict[type[WorkflowEvent], _Change] = {
    kinds.StepStarted: lambda row, payload: row.running_steps.add(_step_of(payload)),
    kinds.StepCompleted: lambda row, payload: row.running_steps.discard(_step_of(payload)),
    kinds.StepFailed: lambda row, payload: row.running_steps.discard(_step_of(payload)),
}

"""What a read model keeps of a workflow, and what it was before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from aetherops.instants import from_us
from aetherops.workflow.read_models.ports import WorkflowSummary
from aetherops.workflow.states import STAGES, is_terminal_state, shortest_path

__all__ = ["EventRow", "Interval", "ParkedWorkflow", "SummaryRow", "furthest"]

_GOOD_WAY = shortest_path("created", "completed") or []


class EventRow(NamedTuple):
    """A stored event before anybody has read its payload.

    Parameters
    ----------
    position, workflow_id, version, kind, schema_version, occurred_us, recorded_us : as stored.
    data : its payload; None where the reader said that it needs none of this kind.
    """

    position: int
    workflow_id: str
    version: int
    kind: str
    schema_version: int
    occurred_us: int
    recorded_us: int
    data: bytes | None


class Interval(NamedTuple):
    """What a workflow was from one position of the global order up to, and without, another."""

    workflow_id: str
    status: str
    owner: str | None
    paused: bool
    from_position: int
    to_position: int


class ParkedWorkflow(NamedTuple):
    """A workflow that is not followed any further, for an event of it cannot be read.

    Parameters
    ----------
    workflow_id : which.
    position : of that event.
    reason : what is wrong with it.
    """

    workflow_id: str
    position: int
    reason: str


@dataclass(slots=True, kw_only=True)
class SummaryRow:
    """A workflow as a read model keeps it, and as the fold goes on from it.

    Parameters
    ----------
    reached : the furthest state on the way to its good end, as its index on that way.
    stage : of a mission, as its index in `STAGES`.
    running_steps, pending_approvals : by name.
    created_us, recorded_us : when it began, and when its last event was recorded.
    known_since_us : when it was captured from a program that kept no events.
    first_position : of its first event.
    since_position : status, owner and pause are these since the event of this position.
    position : of its last event.
    is_begun_anew : name, form or the like may be others than those that are stored.
    """

    workflow_id: str
    created_us: int
    first_position: int
    since_position: int
    recorded_us: int
    position: int
    name: str = "workflow"
    owner: str | None = None
    form: str = "workflow"
    status: str = "created"
    paused: bool = False
    reached: int = 0
    stage: int = 0
    running_steps: set[str] = field(default_factory=set)
    pending_approvals: set[str] = field(default_factory=set)
    error: str | None = None
    version: int = 0
    known_since_us: int | None = None
    is_begun_anew: bool = False

    @classmethod
    def begin(cls, event: EventRow) -> Self:
        """That of a workflow whose first event this is, before it is taken in."""
        return cls(
            workflow_id=event.workflow_id,
            created_us=event.occurred_us,
            first_position=event.position,
            since_position=event.position,
            recorded_us=event.recorded_us,
            position=event.position,
        )

    @property
    def is_done(self) -> bool:
        """Whether no move leaves its status."""
        return is_terminal_state(self.status)

    @property
    def search_text(self) -> str:
        """What `WorkflowQuery.text` is looked for in: id and name, a line each."""
        return f"{self.workflow_id}\n{self.name}".casefold()

    def move(self, status: str) -> None:
        """It has this status now."""
        self.status = status
        self.reached = max(self.reached, furthest([status]))

    def summary(self) -> WorkflowSummary:
        """As a list shows it."""
        at, end = (
            (self.stage, len(STAGES) - 1)
            if self.form == "mission"
            else (self.reached, len(_GOOD_WAY) - 1)
        )
        return WorkflowSummary(
            workflow_id=self.workflow_id,
            name=self.name,
            form=self.form,
            status=self.status,
            owner=self.owner,
            paused=self.paused,
            created_at=from_us(self.created_us),
            version=self.version,
            progress_pct=round(at / end * 100, 1),
            running_steps=tuple(sorted(self.running_steps)),
            pending_approvals=tuple(sorted(self.pending_approvals)),
            error=self.error,
            updated_at=from_us(self.recorded_us),
        )


def furthest(history: Any) -> int:
    """The index of the furthest of these states on the way to the good end; 0 for none."""
    return max((_GOOD_WAY.index(status) for status in history if status in _GOOD_WAY), default=0)

"""What a read model of workflows answers, whatever keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aetherops.errors import InvalidInputError, LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from aetherops.workflow.state import WorkflowState

__all__ = [
    "MAX_PAGE",
    "WorkflowFacts",
    "WorkflowPage",
    "WorkflowQuery",
    "WorkflowReadModel",
    "WorkflowSummary",
    "checked_page",
    "summary_of",
]

#: The most workflows in one page.
MAX_PAGE = 1000


@dataclass(frozen=True, slots=True)
class WorkflowSummary:
    """A workflow as a list shows it.

    Parameters
    ----------
    workflow_id, name, form, status, owner, paused, created_at : as of `WorkflowState`.
    version, progress_pct : None in the fleet at an instant, which keeps no more than stands before.
    running_steps, pending_approvals : their names, sorted; empty in the fleet at an instant.
    error : of its end; None in the fleet at an instant.
    updated_at : when its last event was recorded; None in the fleet at an instant.
    """

    workflow_id: str
    name: str
    form: str
    status: str
    owner: str | None
    paused: bool
    created_at: datetime | None
    version: int | None = None
    progress_pct: float | None = None
    running_steps: tuple[str, ...] = ()
    pending_approvals: tuple[str, ...] = ()
    error: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WorkflowQuery:
    """Which workflows are looked for: those that pass everything that is given.

    Parameters
    ----------
    statuses : one of these; any where empty.
    owner : who answers for it.
    text : a part of the id or of the name, in upper or lower case.
    created_after, created_before : strictly; by `created_at`.
    quiet_since : stuck ones: not at an end of `STATES`, and without an event that was recorded
        from this instant on.
    """

    statuses: frozenset[str] = frozenset()
    owner: str | None = None
    text: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None
    quiet_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class WorkflowPage:
    """Some workflows in the order of their ids.

    Parameters
    ----------
    workflows : of this page.
    has_next : whether more follow; give the last one's id as `after` to get them.
    position : that of the last event that the answer knows.
    """

    workflows: Sequence[WorkflowSummary]
    has_next: bool
    position: int


class WorkflowFacts(NamedTuple):
    """What the fleet at an instant says of a workflow, without what never changes."""

    workflow_id: str
    status: str
    owner: str | None
    paused: bool


class WorkflowReadModel(Protocol):
    """Lists and searches workflows. It follows the events, and may be a moment behind them.

    Every method raises `UnavailableError` where what keeps it is away.
    """

    async def search(
        self, query: WorkflowQuery, *, first: int = 100, after: str = ""
    ) -> WorkflowPage:
        """The workflows that match, as they are now.

        Parameters
        ----------
        first : at most so many, up to `MAX_PAGE`.
        after : only ids greater than this one, by code point.
        """
        ...

    async def fleet_at(
        self, position: int, query: WorkflowQuery, *, first: int = 100, after: str = ""
    ) -> WorkflowPage:
        """The workflows that match, as they were when this was the position of the last event.

        Status, owner and pauses are those of then. A workflow that was captured from a program is
        there from its capture on: what it was before is unknown.

        Parameters
        ----------
        position : one that `position` has reached.
        query : without `quiet_since`.

        Raises
        ------
        InvalidInputError
            The query has a `quiet_since`.
        """
        ...

    async def position(self) -> int:
        """The position of the last event that it has taken in; 0 before the first."""
        ...

    async def wait_until(self, position: int, timeout_s: float = 2.0) -> bool:
        """Wait until it has taken this position in, so that answers show what was just appended.

        Parameters
        ----------
        position : that of the appended event.
        timeout_s : at most so long.

        Returns
        -------
        Whether it has.
        """
        ...

    async def facts_at(
        self, position: int, among: Collection[str] | None = None
    ) -> Sequence[WorkflowFacts]:
        """The whole fleet as it was when this was the position of the last event, in no order.

        Parameters
        ----------
        position : one that `position` has reached.
        among : only workflows with these ids.
        """
        ...

    async def counts_at(self, position: int) -> Mapping[str, int]:
        """How many workflows had each status then; none where no workflow had it."""
        ...

    async def unknown_at(self, position: int, timestamp: datetime) -> Sequence[str]:
        """Workflows that lived then and were captured later, so that nothing is known; by id.

        Parameters
        ----------
        position : of the last event then.
        timestamp : the instant: what had been created by then lived.
        """
        ...


def summary_of(state: WorkflowState, updated_at: datetime | None) -> WorkflowSummary:
    """How a list shows a state whose last event was recorded at `updated_at`."""
    return WorkflowSummary(
        workflow_id=state.workflow_id,
        name=state.name,
        form=state.form,
        status=state.status,
        owner=state.owner,
        paused=state.paused,
        created_at=state.created_at,
        version=state.version,
        progress_pct=state.progress_pct,
        running_steps=tuple(
            sorted(one.name for one in state.steps.values() if one.status == "running")
        ),
        pending_approvals=tuple(
            sorted(one.name for one in state.approvals.values() if one.status == "requested")
        ),
        error=listable(state.error),
        updated_at=updated_at,
    )


def checked_page(first: object) -> int:
    """How many workflows a page may have: 1 to `MAX_PAGE`; raises an error otherwise."""
    if isinstance(first, bool) or not isinstance(first, int) or first < 1:
        raise InvalidInputError("first", first, "1 or more")
    if first > MAX_PAGE:
        raise LimitExceededError("workflows in one page", MAX_PAGE, first)
    return first


def listable(text: str | None) -> str | None:
    """The text as every database can list it: events may hold NUL, and damaged ones surrogates."""
    return text and text.encode(errors="replace").decode().replace("\0", "\ufffd")

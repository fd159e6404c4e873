"""The event store: what keeps the events of workflows, whatever it stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from aetherops.workflow.events.base import WorkflowEvent
    from aetherops.workflow.projection.projection import WorkflowProjection

__all__ = ["MAX_EVENTS_AT_ONCE", "EventStore"]

#: The most events that one append takes, and that one reading of the global order returns.
MAX_EVENTS_AT_ONCE = 10_000


class EventStore(Protocol):
    """Keeps events for ever, each once, in one order without gaps.

    Positions count from 1 without a gap, in the order in which appends were committed, and
    recorded times grow with them: who has read up to a position has missed nothing before it.

    Every method raises `UnavailableError` where the store is away.
    """

    async def append(
        self,
        event: WorkflowEvent,
        *,
        expected_version: int | None = None,
        epoch: int | None = None,
    ) -> WorkflowEvent:
        """Store an event, and return it as recorded. See `append_many`."""
        ...

    async def append_many(
        self,
        events: Sequence[WorkflowEvent],
        *,
        expected_version: int | None = None,
        epoch: int | None = None,
    ) -> list[WorkflowEvent]:
        """Store events of one workflow, all or none, and return them as recorded.

        An append that is made again, with the same event ids and the same content, stores nothing
        and returns what is stored: after a lost answer, make it again.

        Parameters
        ----------
        events : with consecutive versions.
        expected_version : the version that the workflow has now, 0 where it has no event; the
            first event's version - 1 where not given.
        epoch : the holder's epoch, where the workflow is held; see `fence`.

        Raises
        ------
        InvalidInputError
            Versions that are not consecutive, events of two workflows, an id twice, or an event
            that could not be read back.
        LimitExceededError
            Too many events, or a payload too large.
        ConcurrencyError
            The workflow has another version; the error has the actual one.
        FencedError
            The epoch is not the one in force.
        DuplicateEventError
            An id is stored with other content.
        """
        ...

    async def fence(self, workflow_id: str) -> int:
        """Begin the workflow's next epoch and return it: appends of earlier epochs are refused.

        Epochs count from 1. Appends without an epoch are never fenced.
        """
        ...

    async def get_events(
        self, workflow_id: str, *, after: int = 0, until: int | datetime | None = None
    ) -> list[WorkflowEvent]:
        """The events of a workflow by version, none where there is no such workflow.

        Parameters
        ----------
        after : only events of later versions.
        until : only events up to this version, or recorded up to this instant.

        Raises
        ------
        InvalidInputError
            A time without an offset.
        UnreadableEventError
            This version cannot read an event.
        """
        ...

    async def replay(
        self,
        workflow_id: str,
        projection: WorkflowProjection,
        *,
        until: int | datetime | None = None,
    ) -> WorkflowProjection:
        """Take a projection along, from the version it has: the same state as by `get_events`.

        A store may do it without making the events, and so several times as fast. What it refuses
        is the same: also where no state shows it, as the input of a step.

        Parameters
        ----------
        projection : of this workflow; where an event cannot be read it stands at one before.
        until : up to this version, or what was recorded up to this instant; all by default.

        Returns
        -------
        The projection itself.

        Raises
        ------
        InvalidInputError
            A time without an offset.
        MissingEventError
            A version is missing.
        UnreadableEventError
            This version cannot read an event.
        """
        ...

    async def get_events_since(
        self, timestamp: datetime, *, limit: int | None = None
    ) -> list[WorkflowEvent]:
        """Every event recorded strictly later, in global order; read on with `read_from`.

        Parameters
        ----------
        timestamp : with an offset.
        limit : at most so many; all where not given.
        """
        ...

    async def read_from(self, after: int, limit: int = 1000) -> list[WorkflowEvent]:
        """The next events of the global order after a position; fewer only at its end.

        Parameters
        ----------
        after : the position of the last event that was read; 0 for the start.
        limit : at most so many, up to `MAX_EVENTS_AT_ONCE`.
        """
        ...

    async def last_position(self) -> int:
        """The position of the newest event; 0 where there is none."""
        ...

    async def position_at(self, timestamp: datetime) -> int:
        """The position of the newest event recorded up to an instant; 0 where there is none."""
        ...

    def subscribe(self, after: int = 0) -> AsyncIterator[WorkflowEvent]:
        """Every event after a position in global order: those stored, then each as it comes.

        Never ends by itself; leave the loop, or cancel the task.
        """
        ...

"""What was, at any instant: of one workflow, of the whole fleet, and what changed in between.

An instant means everything that had been recorded by then. It is turned into a position of the
global order once, and what comes later never changes an answer about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.errors import InvalidInputError, LimitExceededError, UnavailableError
from aetherops.workflow.checks import instant
from aetherops.workflow.errors import WorkflowNotFoundError
from aetherops.workflow.knowledge import why_nothing
from aetherops.workflow.occurrence import state_occurred_by
from aetherops.workflow.snapshots.reading import StateReader

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from aetherops.workflow.events.base import WorkflowEvent
    from aetherops.workflow.read_models.ports import WorkflowFacts, WorkflowReadModel
    from aetherops.workflow.snapshots.kept import SnapshotStore
    from aetherops.workflow.state import WorkflowState
    from aetherops.workflow.store import EventStore

__all__ = ["MAX_FLEET_EVENTS", "Fleet", "FleetChange", "TemporalQueries"]

#: The most events between two instants at which the whole fleet is compared.
MAX_FLEET_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every workflow at an instant.

    Parameters
    ----------
    position : of the last event that had been recorded.
    workflows : each as it was then, in no order.
    unknown : ids of those that lived then and were captured later: nothing is known of them.
    """

    position: int
    workflows: Sequence[WorkflowFacts]
    unknown: Sequence[str]


@dataclass(frozen=True, slots=True)
class FleetChange:
    """What became of one workflow between two instants.

    Parameters
    ----------
    before, after : what the fleet said of it at both; `before` is None where it had no event.
    events : what happened in between, in order: each says when, who (`actor`) and why
        (`causation_id`).
    """

    workflow_id: str
    before: WorkflowFacts | None
    after: WorkflowFacts
    events: Sequence[WorkflowEvent]


class TemporalQueries:
    """Answers about the past.

    Every instant carries an offset: a time without one is refused as `InvalidInputError`.

    Parameters
    ----------
    store : where the events are.
    read_model : follows the same store, and knows the fleet.
    snapshots : kept states, to begin from.
    patience_s : how long the read model may be behind an instant that is asked about.
    """

    def __init__(
        self,
        store: EventStore,
        read_model: WorkflowReadModel,
        snapshots: SnapshotStore | None = None,
        patience_s: float = 5.0,
    ) -> None:
        self._store = store
        self._read_model = read_model
        self._reader = StateReader(store, snapshots)
        self._patience_s = patience_s

    async def state_at(
        self,
        workflow_id: str,
        timestamp: datetime | None = None,
        *,
        occurred_at: datetime | None = None,
        known_at: datetime | None = None,
    ) -> WorkflowState:
        """The state of a workflow as it stood at an instant.

        Parameters
        ----------
        timestamp : by which events had been recorded.
        occurred_at : in its place, the instant by which they had occurred; see
            `state_occurred_by`.
        known_at : beside `occurred_at`, what had been recorded by then; now where not given.

        Raises
        ------
        InvalidInputError
            Both `timestamp` and one of the others, or none, or a time without an offset.
        WorkflowNotFoundError
            There is no such workflow, then or now.
        NotYetCreatedError
            There was none at that instant.
        UnknownBeforeMigrationError
            Its events are kept since later than that.
        """
        if occurred_at is not None and timestamp is None:
            return await self._state_occurred_by(workflow_id, occurred_at, known_at)
        if timestamp is None or occurred_at is not None or known_at is not None:
            given = f"{timestamp}, {occurred_at}, {known_at}"
            expected = "timestamp alone, or occurred_at and perhaps known_at"
            raise InvalidInputError("timestamp, occurred_at, known_at", given, expected)
        timestamp = instant(timestamp, "timestamp")
        projection = await self._reader.projection(workflow_id, timestamp)
        if projection.version:
            return projection.state
        raise await why_nothing(self._store, workflow_id, timestamp)

    async def fleet_at(self, timestamp: datetime) -> Fleet:
        """Every workflow as it was at an instant.

        Raises
        ------
        UnavailableError
            The read model is too far behind.
        """
        position = await self._position_at(timestamp, "timestamp")
        return Fleet(
            position,
            await self._read_model.facts_at(position),
            await self._read_model.unknown_at(position, timestamp),
        )

    async def counts_at(self, timestamp: datetime) -> Mapping[str, int]:
        """How many workflows had each status at an instant; raises as `fleet_at`."""
        position = await self._position_at(timestamp, "timestamp")
        return await self._read_model.counts_at(position)

    async def fleet_changes(self, start: datetime, end: datetime) -> list[FleetChange]:
        """Each workflow that had events after `start`, up to `end`, in the order of the first.

        Raises
        ------
        InvalidInputError
            A time without an offset, or an end before the start.
        LimitExceededError
            There are more than `MAX_FLEET_EVENTS` events between them.
        UnavailableError
            The read model is too far behind.
        """
        first = await self._position_at(start, "start")
        last = await self._position_at(end, "end")
        if last < first:
            raise InvalidInputError("end", end.isoformat(), f"a time from {start.isoformat()} on")
        if last - first > MAX_FLEET_EVENTS:
            what = "events between two instants (ask for a shorter time)"
            raise LimitExceededError(what, MAX_FLEET_EVENTS, last - first)
        events: dict[str, list[WorkflowEvent]] = {}
        for event in await self._store.read_from(first, last - first) if last > first else ():
            events.setdefault(event.workflow_id, []).append(event)
        before, after = await self._facts(first, events), await self._facts(last, events)
        return [
            FleetChange(name, before.get(name), after[name], of_workflow)
            for name, of_workflow in events.items()
            if name in after
        ]

    async def _state_occurred_by(
        self, workflow_id: str, occurred_at: datetime, known_at: datetime | None
    ) -> WorkflowState:
        until = None if known_at is None else instant(known_at, "known_at")
        events = await self._store.get_events(workflow_id, until=until)
        if events:
            return state_occurred_by(events, occurred_at)
        if until is None:
            raise WorkflowNotFoundError(workflow_id)
        raise await why_nothing(self._store, workflow_id, until)

    async def _facts(self, position: int, names: Collection[str]) -> Mapping[str, WorkflowFacts]:
        found = await self._read_model.facts_at(position, names)
        return {one.workflow_id: one for one in found}

    async def _position_at(self, timestamp: datetime, field: str) -> int:
        """The position of an instant, once the read model has reached it."""
        position = await self._store.position_at(instant(timestamp, field))
        if not await self._read_model.wait_until(position, self._patience_s):
            raise UnavailableError("workflow read model", self._patience_s)
        return position

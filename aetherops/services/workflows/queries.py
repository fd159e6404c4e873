"""What may be asked about workflows: now, at any instant, and what happened in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.errors import InvalidInputError, LimitExceededError, UnavailableError
from aetherops.services.workflows.reading import (
    MAX_SAID_BYTES,
    bytes_said,
    pages_of,
    projection_of,
    small_pages_of,
)
from aetherops.workflow import (
    MissingEventError,
    UnreadableEventError,
    WorkflowNotFoundError,
    WorkflowProjection,
    WorkflowState,
)
from aetherops.workflow.checks import count, instant
from aetherops.workflow.differences import Difference, differences
from aetherops.workflow.knowledge import require_known, why_nothing
from aetherops.workflow.occurrence import state_occurred_by
from aetherops.workflow.verification import WorkflowVerifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from aetherops.services.metering import Meter
    from aetherops.services.workflows.reading import ReadsStates
    from aetherops.workflow import EventStore, WorkflowEvent
    from aetherops.workflow.read_models.ports import (
        WorkflowPage,
        WorkflowQuery,
        WorkflowReadModel,
    )
    from aetherops.workflow.verification import Verification

__all__ = [
    "MAX_CHANGES",
    "MAX_HISTORY",
    "Change",
    "HistoryPage",
    "WorkflowChanges",
    "WorkflowQueries",
]

#: The most events in one page of a history, and between two instants that are compared.
MAX_HISTORY = MAX_CHANGES = 1000
# The read model follows within moments; who asks for an instant just past waits for it.
_PATIENCE_S = 5.0
_FRESH_S = 1.0
# No workflow comes near, and what follows it is a number still.
_LAST_VERSION = 2**31 - 1
# Every event is read and folded so many times.
_READINGS_A_REPLAY = 3


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some events of a workflow, by version.

    Parameters
    ----------
    events : of this page.
    has_next : whether more follow.
    """

    events: Sequence[WorkflowEvent]
    has_next: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What one event changed, and the event, which says when, who and why."""

    event: WorkflowEvent
    differences: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class WorkflowChanges:
    """What became of a workflow between two instants.

    Parameters
    ----------
    before, after : its state at both; `before` is None where it did not exist, or is unknown.
    changes : event by event.
    net : what differs between the two states.
    """

    before: WorkflowState | None
    after: WorkflowState
    changes: Sequence[Change]
    net: Sequence[Difference]


class WorkflowQueries:
    """Answers from the events, and from a read model where many workflows are asked about.

    Instants are those at which events were recorded, and carry an offset: a time without one is
    refused as `InvalidInputError`.

    Parameters
    ----------
    store : where the events are.
    read_model : lists and searches.
    states : reads states sooner than by folding all events.
    verifier : replays a workflow; one over the store and the read model where not given.
    """

    def __init__(
        self,
        store: EventStore,
        read_model: WorkflowReadModel,
        states: ReadsStates | None = None,
        verifier: WorkflowVerifier | None = None,
    ) -> None:
        self._store = store
        self._read_model = read_model
        self._states = states
        self._verifier = verifier or WorkflowVerifier(store, read_model=read_model)

    async def verify(self, workflow_id: str, meter: Meter) -> Verification:
        """Replay a workflow and compare with what is stored; raises `WorkflowNotFoundError`."""
        try:
            version = (await self._projection(workflow_id, meter)).version
            await meter.charge(version * _READINGS_A_REPLAY // 100)
        except (UnreadableEventError, MissingEventError):
            pass  # what the verifier is there to tell
        return await self._verifier.verify(workflow_id)

    async def state(self, workflow_id: str, meter: Meter) -> WorkflowState:
        """The state now; raises `WorkflowNotFoundError`."""
        projection = await self._projection(workflow_id, meter)
        if not projection.version:
            raise WorkflowNotFoundError(workflow_id)
        return projection.state

    async def state_at(self, workflow_id: str, at: datetime, meter: Meter) -> WorkflowState:
        """The state as it stood at an instant.

        Raises
        ------
        WorkflowNotFoundError
            There is no such workflow, then or now.
        NotYetCreatedError
            There was none at that instant.
        UnknownBeforeMigrationError
            It was captured from a program later than that.
        """
        at = instant(at, "as_of")
        projection = await self._projection(workflow_id, meter, at)
        if not projection.version:
            raise await why_nothing(self._store, workflow_id, at)
        return projection.state

    async def state_occurred_by(
        self, workflow_id: str, occurred: datetime, meter: Meter, *, at: datetime | None = None
    ) -> WorkflowState:
        """The state that had occurred by an instant, as far as was recorded at another, or now.

        Every event is read and paid for. Raises as `state_at`.
        """
        until = None if at is None else instant(at, "as_of")
        occurred, events = instant(occurred, "occurred_by"), []
        async for page in pages_of(self._store, workflow_id, meter, until=until):
            events += page
        if events:
            return state_occurred_by(events, occurred)
        if until is None:
            raise WorkflowNotFoundError(workflow_id)
        raise await why_nothing(self._store, workflow_id, until)

    async def history(
        self, workflow_id: str, meter: Meter, *, first: int = 100, after: int = 0
    ) -> HistoryPage:
        """Events after a version, at most `first`, up to `MAX_HISTORY`.

        Fewer where they say more than `MAX_SAID_BYTES` together; one at least.
        """
        if first < 1:
            raise InvalidInputError("first", first, "1 or more")
        if first > MAX_HISTORY:
            raise LimitExceededError("events in one page", MAX_HISTORY, first)
        after = min(count(after, "after"), _LAST_VERSION)
        page = await self._page(workflow_id, first, after)
        if not page.events and not await self._store.get_events(workflow_id, until=1):
            raise WorkflowNotFoundError(workflow_id)
        await meter.charge(len(page.events) // 100)
        return page

    async def changes(
        self, workflow_id: str, start: datetime, end: datetime, meter: Meter
    ) -> WorkflowChanges:
        """What changed after `start`, up to `end`, and through which events.

        Raises
        ------
        LimitExceededError
            There are more than `MAX_CHANGES` events between them.
        WorkflowNotFoundError, NotYetCreatedError, UnknownBeforeMigrationError
            As of `state_at`, for `end`; and the last for a `start` before the migration.
        """
        start, end = instant(start, "from"), instant(end, "to")
        if end < start:
            raise InvalidInputError("to", end.isoformat(), f"a time from {start.isoformat()} on")
        projection = await self._projection(workflow_id, meter, start)
        before = projection.state if projection.version else None
        events = await self._between(workflow_id, projection.version, end, meter)
        if before is None:
            if not events:
                raise await why_nothing(self._store, workflow_id, end)
            require_known(events, start)
        changes = _step_by_step(projection, before, events)
        return WorkflowChanges(
            before, projection.state, changes, differences(before, projection.state)
        )

    async def find(
        self,
        query: WorkflowQuery,
        *,
        as_of: datetime | None = None,
        first: int = 100,
        after: str = "",
    ) -> WorkflowPage:
        """The workflows that match, now or as they were at an instant; see `WorkflowReadModel`."""
        if as_of is None:
            # Whoever has just changed something finds it; a projector that is away keeps nobody.
            await self._read_model.wait_until(await self._store.last_position(), _FRESH_S)
            return await self._read_model.search(query, first=first, after=after)
        position = await self._store.position_at(instant(as_of, "as_of"))
        await self._until_followed(position)
        return await self._read_model.fleet_at(position, query, first=first, after=after)

    async def _projection(
        self, workflow_id: str, meter: Meter, until: datetime | None = None
    ) -> WorkflowProjection:
        return await projection_of(
            self._store, workflow_id, meter, until=until, states=self._states
        )

    async def _page(self, workflow_id: str, first: int, after: int) -> HistoryPage:
        found: list[WorkflowEvent] = []
        room = MAX_SAID_BYTES
        async for page in small_pages_of(self._store, workflow_id, after, after + first + 1):
            for event in page:
                room -= bytes_said([event])
                if len(found) == first or (found and room < 0):
                    return HistoryPage(found, True)
                found.append(event)
        return HistoryPage(found, False)

    async def _between(
        self, workflow_id: str, after: int, end: datetime, meter: Meter
    ) -> list[WorkflowEvent]:
        found: list[WorkflowEvent] = []
        async for page in pages_of(self._store, workflow_id, meter, after=after, until=end):
            found += page
            if len(found) > MAX_CHANGES:
                what = "events between two instants (ask for a shorter time)"
                raise LimitExceededError(what, MAX_CHANGES, len(found))
            if (said := bytes_said(found)) > MAX_SAID_BYTES:
                raise LimitExceededError(
                    "bytes that events between two instants say", MAX_SAID_BYTES, said
                )
        return found

    async def _until_followed(self, position: int) -> None:
        if not await self._read_model.wait_until(position, _PATIENCE_S):
            raise UnavailableError("workflow read model", _PATIENCE_S)


def _step_by_step(
    projection: WorkflowProjection, state: WorkflowState | None, events: Sequence[WorkflowEvent]
) -> list[Change]:
    changes = []
    for event in events:
        after = projection.apply(event).state
        changes.append(Change(event, differences(state, after)))
        state = after
    return changes

"""A workflow on an event store: what is known of it here, and how its next event is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypedDict, TypeVar

from aetherops.errors import InvalidInputError
from aetherops.workflow.errors import ConcurrencyError, WorkflowNotFoundError
from aetherops.workflow.events.base import WorkflowEvent
from aetherops.workflow.events.kinds import WorkflowCreated
from aetherops.workflow.projection.projection import WorkflowProjection
from aetherops.workflow.state import WorkflowState
from aetherops.workflow.store import EventStore
from aetherops.workflow.stored.background import run_on, wait_for

__all__ = ["OpenOptions", "StoredWorkflow"]

_Result = TypeVar("_Result")


class OpenOptions(TypedDict, total=False):
    """How a workflow is opened.

    Parameters
    ----------
    name, owner : of a workflow that is created now: what kind of work it is, who answers for it.
    actor : who does what is done here; ``"system"`` where not given.
    epoch : the holder's, where the workflow is held; see `EventStore.fence`.
    create : whether one without events is created; true where not given.
    """

    name: str
    owner: str | None
    actor: str
    epoch: int | None
    create: bool


class StoredWorkflow:
    """The state of a workflow as of the last event that is known here, and the way to the next.

    Parameters
    ----------
    store : keeps its events.
    events : all of them so far, at least one.
    actor, epoch : stand in what is recorded here.
    loop : where the store is used; the background loop where it is None.
    """

    def __init__(
        self,
        store: EventStore,
        events: Iterable[WorkflowEvent],
        *,
        actor: str = "system",
        epoch: int | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._store = store
        self._actor = actor
        self._epoch = epoch
        self._loop = loop
        self._projection = WorkflowProjection().apply_many(events)
        self._unanswered: WorkflowEvent | None = None
        self._arrival: asyncio.Future[None] | None = None
        self.state: WorkflowState = self._projection.state

    @classmethod
    async def open(
        cls,
        store: EventStore,
        workflow_id: str,
        form: str,
        options: OpenOptions,
        loop: asyncio.AbstractEventLoop | None,
    ) -> StoredWorkflow:
        """Read a workflow, or create it where it has no event."""
        actor = options.get("actor", "system")
        created = WorkflowCreated(
            workflow_id=workflow_id,
            name=options.get("name", "workflow"),
            owner=options.get("owner"),
            form=form,
            actor=actor,
        )
        epoch = options.get("epoch")
        events = await store.get_events(workflow_id)
        if not events:
            if not options.get("create", True):
                raise WorkflowNotFoundError(workflow_id)
            events = await _create(store, created, epoch)
        opened = cls(store, events, actor=actor, epoch=epoch, loop=loop)
        if opened.state.form != form:
            raise InvalidInputError(
                "workflow_id", workflow_id, f"the id of a {form}, not of a {opened.state.form}"
            )
        return opened

    @asynccontextmanager
    async def arriving(self) -> AsyncIterator[None]:
        """While its first event is on the way to the store, it can be read; further ones wait."""
        self._arrival = asyncio.get_running_loop().create_future()
        try:
            yield
        except BaseException:
            self._arrival.set_exception(ConcurrencyError(self.state.workflow_id, 1, 0))
            self._arrival.exception()  # nobody may be waiting
            raise
        self._arrival.set_result(None)
        self._arrival = None

    async def record(self, kind: type[WorkflowEvent], **payload: Any) -> bool:
        """Record what happens next.

        Returns
        -------
        False, and nothing is recorded, where another was first: the state is read anew, and who
        calls decides again.
        """
        if self._arrival is not None:
            await asyncio.shield(self._arrival)
        event = self._tried_before(kind, payload) or kind(
            workflow_id=self.state.workflow_id,
            version=self.state.version + 1,
            actor=self._actor,
            **payload,
        )
        try:
            stored = await self._store.append(event, epoch=self._epoch)
        except ConcurrencyError:
            await self.refresh()
            if self.state.version < event.version:
                raise
            return False
        except BaseException:
            # It may be stored for all that: who tries again is to record this very event.
            self._unanswered = event
            raise
        self._take([stored])
        return True

    async def read_anew(self) -> None:
        """Read all events, whatever was known of them."""
        events = await self._store.get_events(self.state.workflow_id)
        self._projection = WorkflowProjection().apply_many(events)
        self.state = self._projection.state

    async def refresh(self) -> bool:
        """Read the events that others recorded; whether any became known meanwhile."""
        known = self.state.version
        self._take(await self._store.get_events(self.state.workflow_id, after=known))
        return self.state.version > known

    def wait(self, doing: Coroutine[Any, Any, _Result], called: str, instead: str) -> _Result:
        """Do it where the store is used, and wait for it in this thread."""
        return wait_for(doing, self._loop, called, instead)

    async def run(self, doing: Coroutine[Any, Any, _Result], called: str) -> _Result:
        """Do it where the store is used, and await it."""
        return await run_on(doing, self._loop, called)

    def _take(self, events: Iterable[WorkflowEvent]) -> None:
        """Go on with those events that are new here: two callers may have read the same ones."""
        known = self.state.version
        self._projection.apply_many(event for event in events if event.version > known)
        if self._projection.version > known:
            self.state = self._projection.state

    def _tried_before(
        self, kind: type[WorkflowEvent], payload: dict[str, Any]
    ) -> WorkflowEvent | None:
        """The event of a try that got no answer, where this is the same one again."""
        event, self._unanswered = self._unanswered, None
        if (
            event is not None
            and type(event) is kind
            and event.version == self.state.version + 1
            and all(getattr(event, name) == value for name, value in payload.items())
        ):
            return event
        return None


async def _create(
    store: EventStore, created: WorkflowCreated, epoch: int | None
) -> list[WorkflowEvent]:
    try:
        return [await store.append(created, epoch=epoch)]
    except ConcurrencyError:  # another created it meanwhile
        return await store.get_events(created.workflow_id)

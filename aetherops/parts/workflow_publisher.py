"""The publisher of workflows: tells other programs what happened, as fast as they can be told."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from aetherops.errors import UnavailableError
from aetherops.resilience import retry_backoff
from aetherops.runtime.part import Part, wait_for_event
from aetherops.services.workflow_condition import WorkflowCondition
from aetherops.workflow.errors import UnreadableEventError
from aetherops.workflow.publication import PublishedAheadError

if TYPE_CHECKING:
    from aetherops.events import Listeners
    from aetherops.workflow.publication import EventPublisher
    from aetherops.workflow.store import EventStore

__all__ = ["WorkflowPublisher"]

_log = structlog.get_logger(__name__)

_PAGE = 1_000
_FIRST_RETRY_MS, _LAST_RETRY_MS = 100, 5_000


class WorkflowPublisher(Part):
    """Publishes what was appended, from where publication stands; any number may run.

    Appends never wait for it: while NATS is away they go on, and publication catches up.

    Parameters
    ----------
    store : where the events are.
    publisher : where they go.
    appended : is heard for what this process appends; others' appends are found by looking.
    condition : is told how it fares.
    poll_s : seconds between two looks.
    """

    runs_again = True

    def __init__(
        self,
        store: EventStore,
        publisher: EventPublisher,
        appended: Listeners[int] | None = None,
        *,
        condition: WorkflowCondition | None = None,
        poll_s: float = 0.5,
    ) -> None:
        super().__init__()
        self._store = store
        self._publisher = publisher
        self._appended = appended
        self._poll_s = poll_s
        self._woken = asyncio.Event()
        self._pause_reason: str | None = None
        self._condition = condition or WorkflowCondition()

    async def run(self) -> None:
        """Publish until `stop`."""
        loop = asyncio.get_running_loop()

        def wake(_: int) -> None:
            with suppress(RuntimeError):  # the loop has ended, and this part with it
                loop.call_soon_threadsafe(self._woken.set)

        if self._appended is not None:
            self._appended.add(wake)
        try:
            await self._publish_until_stopped()
        finally:
            if self._appended is not None:
                self._appended.remove(wake)

    def stop(self) -> None:
        """Ask `run` to return once the events in hand are published."""
        super().stop()
        self._woken.set()

    async def _publish_until_stopped(self) -> None:
        failures = 0
        while not self.stopping:
            self._woken.clear()
            try:
                is_busy = await self._publish_page()
            except (UnavailableError, PublishedAheadError, UnreadableEventError) as error:
                failures += 1
                self._tell_pause(str(error))
                await self.pause(retry_backoff(failures, _FIRST_RETRY_MS, _LAST_RETRY_MS) / 1_000)
                continue
            failures = 0
            self._tell_resumption()
            if not is_busy and not self.stopping:
                await wait_for_event(self._woken, self._poll_s)

    async def _publish_page(self) -> bool:
        """Publish the next events; whether more may be waiting."""
        position = await self._publisher.last_position()
        events = await self._store.read_from(position, _PAGE)
        if not events:
            stored = await self._store.last_position()
            if stored < position:
                raise PublishedAheadError(position, stored)
            self._condition.published_position = position
            return False
        self._condition.published_events += await self._publisher.publish(events)
        self._condition.published_position = position
        return True

    def _tell_pause(self, reason: str) -> None:
        if self._pause_reason is None:
            _log.warning("publication_paused", reason=reason)
        self._pause_reason = reason

    def _tell_resumption(self) -> None:
        if self._pause_reason is not None:
            _log.warning("publication_resumed", position=self._condition.published_position)
        self._pause_reason = None

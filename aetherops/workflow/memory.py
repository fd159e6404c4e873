"""An event store in memory, for tests, notebooks and programs without servers."""

from __future__ import annotations

import threading
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from aetherops._named import Named
from aetherops.events import Listeners
from aetherops.workflow.appends import Append, checked_append
from aetherops.workflow.checks import instant, name_text
from aetherops.workflow.errors import ConcurrencyError, DuplicateEventError, FencedError
from aetherops.workflow.events.codec import EventCodec
from aetherops.workflow.following import follow
from aetherops.workflow.reading import checked_limit, checked_position

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence
    from uuid import UUID

    from aetherops.workflow.events.base import WorkflowEvent
    from aetherops.workflow.projection.projection import WorkflowProjection

__all__ = ["MemoryEventStore"]

_MICROSECOND = timedelta(microseconds=1)
_NOW = Named("datetime.now(UTC)", lambda: datetime.now(UTC))


class _Row(NamedTuple):
    """An event as it is kept: what anybody does to the object afterwards changes nothing."""

    event: WorkflowEvent
    payload: bytes


class MemoryEventStore:
    """Keeps events as long as its process lives; see `EventStore` for what each method does.

    Safe to use from several threads and event loops.

    Parameters
    ----------
    codec : the kinds and upcasters that are known.
    now : the clock of recorded times, UTC-aware.
    """

    def __init__(
        self,
        codec: EventCodec | None = None,
        now: Callable[[], datetime] = _NOW,
    ) -> None:
        self._codec = codec or EventCodec()
        self._now = now
        self._lock = threading.Lock()
        self._rows: list[_Row] = []
        self._recorded: list[datetime] = []
        self._workflows: dict[str, list[_Row]] = {}
        self._by_id: dict[UUID, _Row] = {}
        self._epochs: dict[str, int] = {}
        #: Hear the last position after every append, in the thread that made it.
        self.appended: Listeners[int] = Listeners()

    async def append(
        self,
        event: WorkflowEvent,
        *,
        expected_version: int | None = None,
        epoch: int | None = None,
    ) -> WorkflowEvent:
        """See `EventStore.append`."""
        [stored] = await self.append_many([event], expected_version=expected_version, epoch=epoch)
        return stored

    async def append_many(
        self,
        events: Sequence[WorkflowEvent],
        *,
        expected_version: int | None = None,
        epoch: int | None = None,
    ) -> list[WorkflowEvent]:
        """See `EventStore.append_many`."""
        append = checked_append(self._codec, events, expected_version, epoch)
        with self._lock:
            stored = self._stored_already(append) or self._store(append)
            last = len(self._rows)
        self.appended.tell(last)
        return self._decoded(stored)

    async def fence(self, workflow_id: str) -> int:
        """See `EventStore.fence`."""
        held = name_text(workflow_id, "workflow_id")
        with self._lock:
            epoch = self._epochs[held] = self._epochs.get(held, 0) + 1
        return epoch

    async def get_events(
        self, workflow_id: str, *, after: int = 0, until: int | datetime | None = None
    ) -> list[WorkflowEvent]:
        """See `EventStore.get_events`."""
        name_text(workflow_id, "workflow_id")
        if isinstance(until, datetime):
            until = instant(until, "until")
        start = checked_position(after, "after")
        with self._lock:
            rows = self._workflows.get(workflow_id, [])[start:]
        if isinstance(until, datetime):
            rows = [row for row in rows if row.event.recorded_at <= until]  # type: ignore[operator]
        elif until is not None:
            rows = rows[: max(checked_position(until, "until") - start, 0)]
        return self._decoded(rows)

    async def replay(
        self,
        workflow_id: str,
        projection: WorkflowProjection,
        *,
        until: int | datetime | None = None,
    ) -> WorkflowProjection:
        """See `EventStore.replay`."""
        events = await self.get_events(workflow_id, after=projection.version, until=until)
        return projection.apply_many(events)

    async def get_events_since(
        self, timestamp: datetime, *, limit: int | None = None
    ) -> list[WorkflowEvent]:
        """See `EventStore.get_events_since`."""
        at = instant(timestamp, "timestamp")
        most = None if limit is None else checked_limit(limit)
        with self._lock:
            start = bisect_right(self._recorded, at)
            rows = self._rows[start : None if most is None else start + most]
        return self._decoded(rows)

    async def read_from(self, after: int, limit: int = 1000) -> list[WorkflowEvent]:
        """See `EventStore.read_from`."""
        start = checked_position(after, "after")
        end = start + checked_limit(limit)
        with self._lock:
            rows = self._rows[start:end]
        return self._decoded(rows)

    async def last_position(self) -> int:
        """See `EventStore.last_position`."""
        with self._lock:
            return len(self._rows)

    async def position_at(self, timestamp: datetime) -> int:
        """See `EventStore.position_at`."""
        at = instant(timestamp, "timestamp")
        with self._lock:
            return bisect_right(self._recorded, at)

    def subscribe(self, after: int = 0) -> AsyncIterator[WorkflowEvent]:
        """See `EventStore.subscribe`."""
        return follow(self, checked_position(after, "after"), self.appended)

    def _stored_already(self, append: Append) -> list[_Row] | None:
        """What is stored where this very append was made before; None where it is new."""
        found = [self._by_id.get(event.event_id) for event in append.events]
        for row, event, payload in zip(found, append.events, append.payloads, strict=True):
            if row is not None and (row.event != event or row.payload != payload):
                raise DuplicateEventError(event.event_id)
        stored = [row for row in found if row is not None]
        return stored if len(stored) == len(found) else None

    def _store(self, append: Append) -> list[_Row]:
        of_workflow = self._workflows.get(append.workflow_id, [])
        epoch = self._epochs.get(append.workflow_id, 0)
        if append.epoch is not None and append.epoch != epoch:
            raise FencedError(append.workflow_id, append.epoch, epoch)
        if append.expected_version != len(of_workflow):
            raise ConcurrencyError(append.workflow_id, append.expected_version, len(of_workflow))
        first = self._next_time()
        rows = [
            _Row(event.recorded(first + i * _MICROSECOND, len(self._rows) + 1 + i), payload)
            for i, (event, payload) in enumerate(zip(append.events, append.payloads, strict=True))
        ]
        self._workflows.setdefault(append.workflow_id, of_workflow).extend(rows)
        self._by_id.update((row.event.event_id, row) for row in rows)
        self._recorded.extend(first + i * _MICROSECOND for i in range(len(rows)))
        self._rows.extend(rows)
        return rows

    def _next_time(self) -> datetime:
        """The clock's, and later than every recorded time, also where the clock was set back."""
        now = instant(self._now(), "now")
        return max(now, self._recorded[-1] + _MICROSECOND) if self._recorded else now

    def _decoded(self, rows: Iterable[_Row]) -> list[WorkflowEvent]:
        return [self._decode(row) for row in rows]

    def _decode(self, row: _Row) -> WorkflowEvent:
        event = row.event
        return self._codec.decode(event.kind, event.schema_version, row.payload, event.envelope)

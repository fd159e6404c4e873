"""The event store over a migrated database."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from aetherops.errors import AetherOpsError, InvalidInputError, UnavailableError
from aetherops.events import Listeners
from aetherops.resilience import Retry
from aetherops.workflow.appends import Append, checked_append
from aetherops.workflow.checks import instant, name_text
from aetherops.workflow.events.codec import EventCodec
from aetherops.workflow.following import follow
from aetherops.workflow.postgres.appending import append_batch
from aetherops.workflow.postgres.batching import AppendBatcher
from aetherops.workflow.postgres.reading import (
    AFTER,
    AWAIT_TURN,
    LAST,
    LAST_RECORDED,
    POSITION_AT,
    SINCE,
    history,
)
from aetherops.workflow.postgres.replaying import FOLDED_COLUMNS, Replayer
from aetherops.workflow.postgres.rows import COLUMNS, events_of, to_us
from aetherops.workflow.reading import checked_limit, checked_position

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from asyncpg import Record

    from aetherops.connections.postgres import Postgres
    from aetherops.workflow.events.base import WorkflowEvent
    from aetherops.workflow.postgres.batching import Outcome
    from aetherops.workflow.projection.projection import WorkflowProjection

__all__ = ["PostgresEventStore"]

# A lost answer is asked for again so long; everybody who appends waits meanwhile.
_RETRY = Retry(attempts=None, patience_s=5.0, base_ms=50, cap_ms=1_000, on=(UnavailableError,))

_DECODED_AT_ONCE = 1_000


class PostgresEventStore:
    """Keeps events in PostgreSQL; see `EventStore` for what each method does.

    Appends of many callers share transactions. Use it in the event loop, and in the process, that
    its connections were made in.

    Parameters
    ----------
    postgres : a migrated database.
    codec : the kinds and upcasters that are known.
    retry : how often a batch is sent again whose answer was lost; it is stored once.
    """

    def __init__(
        self, postgres: Postgres, codec: EventCodec | None = None, *, retry: Retry = _RETRY
    ) -> None:
        self._postgres = postgres
        self._codec = codec or EventCodec(parse=msgspec.json.decode)
        self._retry = retry
        self._replayer = Replayer(self._codec)
        self._batcher = AppendBatcher(self._write)
        self._home: tuple[int, asyncio.AbstractEventLoop] | None = None
        #: Hear the last position after each append of this store, in its event loop.
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
        self._require_home()
        return await self._batcher.submit(append)

    async def fence(self, workflow_id: str) -> int:
        """See `EventStore.fence`."""
        name_text(workflow_id, "workflow_id")
        self._require_home()
        async with self._postgres.writing() as connection:
            return int(await connection.fetchval("SELECT workflow_fence($1)", workflow_id))

    async def get_events(
        self, workflow_id: str, *, after: int = 0, until: int | datetime | None = None
    ) -> list[WorkflowEvent]:
        """See `EventStore.get_events`."""
        statement, arguments = history(COLUMNS, workflow_id, after, until)
        await self._settled(until)
        return await self._events(statement, *arguments)

    async def replay(
        self,
        workflow_id: str,
        projection: WorkflowProjection,
        *,
        until: int | datetime | None = None,
    ) -> WorkflowProjection:
        """See `EventStore.replay`."""
        statement, arguments = history(FOLDED_COLUMNS, workflow_id, projection.version, until)
        await self._settled(until)
        async for rows in self._rows(statement, *arguments):
            self._replayer.take(projection, workflow_id, rows)
        return projection

    async def get_events_since(
        self, timestamp: datetime, *, limit: int | None = None
    ) -> list[WorkflowEvent]:
        """See `EventStore.get_events_since`."""
        at_most = None if limit is None else checked_limit(limit)
        at = instant(timestamp, "timestamp")
        await self._settled(at)
        return await self._events(SINCE, to_us(at), at_most)

    async def read_from(self, after: int, limit: int = 1000) -> list[WorkflowEvent]:
        """See `EventStore.read_from`."""
        return await self._events(AFTER, checked_position(after, "after"), checked_limit(limit))

    async def last_position(self) -> int:
        """See `EventStore.last_position`."""
        return await self._number(LAST)

    async def position_at(self, timestamp: datetime) -> int:
        """See `EventStore.position_at`."""
        at = instant(timestamp, "timestamp")
        await self._settled(at)
        return await self._number(POSITION_AT, to_us(at))

    def subscribe(self, after: int = 0) -> AsyncIterator[WorkflowEvent]:
        """See `EventStore.subscribe`."""
        return follow(self, checked_position(after, "after"), self.appended)

    async def close(self) -> None:
        """Take no more appends, and return once those under way are stored or refused."""
        await self._batcher.close()

    async def _write(self, batch: Sequence[Append]) -> list[Outcome]:
        """Store a batch; where an append in it breaks it, the others are stored without it."""
        try:
            outcomes = await self._retry.call_async(self._write_once, batch)
        except AetherOpsError as error:
            return [error] * len(batch)
        except asyncpg.DataError as error:
            if len(batch) == 1:
                refusal = InvalidInputError("events", batch[0].events, f"other text ({error})")
                refusal.__cause__ = error
                return [refusal]
            alone = [await self._write([append]) for append in batch]
            return [outcome for [outcome] in alone]
        last = max((o[-1].position or 0 for o in outcomes if isinstance(o, list)), default=0)
        if last:
            self.appended.tell(last)
        return outcomes

    async def _write_once(self, batch: Sequence[Append]) -> list[Outcome]:
        async with self._postgres.writing() as connection:
            return await append_batch(connection, batch)

    async def _events(self, statement: str, *arguments: object) -> list[WorkflowEvent]:
        events: list[WorkflowEvent] = []
        async for rows in self._rows(statement, *arguments):
            events += events_of(self._codec, rows)
        return events

    async def _rows(self, statement: str, *arguments: object) -> AsyncIterator[list[Record]]:
        self._require_home()
        async with self._postgres.connection() as connection:
            rows = await connection.fetch(statement, *arguments)
        for start in range(0, len(rows), _DECODED_AT_ONCE):
            if start:
                await asyncio.sleep(0)  # a long history is no reason to keep others waiting
            yield rows[start : start + _DECODED_AT_ONCE]

    async def _settled(self, until: int | datetime | None) -> None:
        """Let an append end that may yet be recorded up to this instant.

        What is recorded up to an instant is the same for ever only then: an append has its time
        from the moment on at which it has its turn, and is seen once it is committed.
        """
        if isinstance(until, datetime) and to_us(until) > await self._number(LAST_RECORDED):
            async with self._postgres.connection() as connection:
                await connection.execute(AWAIT_TURN)

    async def _number(self, statement: str, *arguments: object) -> int:
        self._require_home()
        async with self._postgres.connection() as connection:
            return int(await connection.fetchval(statement, *arguments))

    def _require_home(self) -> None:
        """Refuse other event loops, and processes that were forked: they share our sockets."""
        here = os.getpid(), asyncio.get_running_loop()
        if self._home is None:
            self._home = here
        if self._home != here:
            raise InvalidInputError(
                "event loop", here[1], "the loop and the process that the store was first used in"
            )

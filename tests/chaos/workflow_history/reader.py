"""A reader: ``python -m workflow_history.reader DSN FILE HOW FOLD_ONE_IN``.

It follows the global order in one of three ways, writes down each event that it sees, and folds
some workflows as it goes. After SIGTERM it reads to the end, writes down what states it has, and
ends. One that comes after it goes on behind the last event in the file.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aetherops.errors import UnavailableError
from aetherops.workflow import WorkflowEvent, WorkflowProjection, WorkflowState
from aetherops.workflow.postgres import PostgresEventStore
from aetherops.workflow.state_json import state_to_json
from workflow_history.connecting import RETRY_S, connected_store, stop_signal
from workflow_history.notes import Seen, last_seen, write_seen

HOW = ("subscribe", "position", "time")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PAGE = 500


class Reader:
    """One reader, from where the one before it was."""

    def __init__(self, store: PostgresEventStore, path: Path, how: str, fold_one_in: int) -> None:
        self._store = store
        self._how = how
        self._fold_one_in = fold_one_in
        self._last = last_seen(path)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._states: dict[str, WorkflowProjection] = {}

    async def run(self, stop: asyncio.Event) -> dict[str, tuple[int, str]]:
        """Read until asked to end and nothing is left; returns versions and states."""
        stopping = asyncio.create_task(stop.wait())
        reading = asyncio.create_task(self._read())
        await asyncio.wait([stopping, reading], return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            end = await self._store.last_position()
            while self._last.position < end and not reading.done():
                await asyncio.sleep(RETRY_S)
        if reading.done():
            reading.result()  # raises what ended it
        reading.cancel()
        return {w: (p.version, state_digest(p.state)) for w, p in self._states.items()}

    async def _read(self) -> None:
        while True:
            try:
                async with aclosing(self._events()) as events:
                    async for event in events:
                        await self._take(event)
            except UnavailableError:
                await asyncio.sleep(RETRY_S)

    async def _events(self) -> AsyncIterator[WorkflowEvent]:
        if self._how == "subscribe":
            async for event in self._store.subscribe(self._last.position):
                yield event
        while True:
            page = await self._page()
            for event in page:
                yield event
            if not page:
                await asyncio.sleep(0.02)

    async def _page(self) -> list[WorkflowEvent]:
        if self._how == "position":
            return await self._store.read_from(self._last.position, _PAGE)
        since = _EPOCH + self._last.recorded_us * _MICROSECOND
        return await self._store.get_events_since(since, limit=_PAGE)

    async def _take(self, event: WorkflowEvent) -> None:
        assert event.position is not None
        assert event.recorded_at is not None
        if zlib.crc32(event.workflow_id.encode()) % self._fold_one_in == 0:
            await self._fold(event)
        recorded_us = (event.recorded_at - _EPOCH) // _MICROSECOND
        write_seen(self._file, event.position, event.event_id, recorded_us)
        self._last = Seen(event.position, event.event_id.hex, recorded_us)

    async def _fold(self, event: WorkflowEvent) -> None:
        known = self._states.get(event.workflow_id)
        if known is None:  # new, or begun before the reader before this one was killed
            before = await self._store.get_events(event.workflow_id, until=event.version - 1)
            known = WorkflowProjection().apply_many(before)
        if known.version < event.version:
            known.apply(event)
        self._states[event.workflow_id] = known


def state_digest(state: WorkflowState) -> str:
    """The same for equal states alone."""
    return hashlib.sha256(json.dumps(state_to_json(state), sort_keys=True).encode()).hexdigest()


async def main(dsn: str, path: str, how: str, fold_one_in: str) -> None:
    """Read until asked to end."""
    stop = stop_signal()
    async with connected_store(dsn) as store:
        states = await Reader(store, Path(path), how, int(fold_one_in)).run(stop)
    Path(path).with_suffix(".states").write_text(json.dumps(states), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

"""A writer: ``python -m workflow_history.writer DSN NOTES NAME SEED``; ends with SIGTERM.

It appends to workflows of its own, to some that every writer appends to, and to some that one
writer takes from another. What is answered it notes down.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from aetherops.errors import UnavailableError
from aetherops.workflow import ConcurrencyError, FencedError, WorkflowEvent
from aetherops.workflow.postgres import PostgresEventStore
from workflow_history.connecting import RETRY_S, connected_store, stop_signal
from workflow_history.notes import Ack, Fence, NoteBook, Refusal
from workflow_history.operations import new_append, operation_of

OWN_TASKS, SHARED_TASKS, HELD_TASKS = 48, 3, 3
_SHARED_NAMES, _HELD_NAMES = 3, 4
# All writers go on to new names at the same time, so that no history gets long.
_NAMES_LAST_S = 4
T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Writer:
    """The tasks of one writer, and what they noted."""

    def __init__(
        self,
        store: PostgresEventStore,
        notes: NoteBook,
        name: str,
        seed: str,
        stop: asyncio.Event,
    ) -> None:
        self._store = store
        self._notes = notes
        self._name = name
        self._random = random.Random(f"{seed}-{name}")
        self._stop = stop

    async def run(self) -> None:
        """Append until asked to end."""
        tasks = [self._own(i) for i in range(OWN_TASKS)]
        tasks += [self._shared() for _ in range(SHARED_TASKS)]
        tasks += [self._held() for _ in range(HELD_TASKS)]
        await asyncio.gather(*tasks)

    async def _own(self, task: int) -> None:
        n = 0
        while not self._stop.is_set():
            workflow_id, version, length = (
                f"{self._name}-{task}-{n}",
                0,
                self._random.randint(5, 90),
            )
            while version < length and not self._stop.is_set():
                version += await self._append(workflow_id, version)
            n += 1

    async def _shared(self) -> None:
        versions: dict[str, int] = {}
        while not self._stop.is_set():
            workflow_id = self._present("shared", _SHARED_NAMES)
            version = versions.get(workflow_id, 0)
            try:
                versions[workflow_id] = version + await self._append(workflow_id, version)
            except ConcurrencyError as error:
                versions[workflow_id] = error.actual

    async def _held(self) -> None:
        while not self._stop.is_set():
            workflow_id = self._present("held", _HELD_NAMES)
            epoch = await self._surely(lambda w=workflow_id: self._store.fence(w))
            version = len(await self._surely(lambda w=workflow_id: self._store.get_events(w)))
            self._notes.note(Fence(workflow_id, epoch, version))
            try:
                for _ in range(self._random.randint(1, 20)):
                    # Long enough, at times, for another to take it over.
                    await asyncio.sleep(self._random.choice([0, 0, 0.01, 0.1]))
                    version += await self._append(workflow_id, version, epoch)
            except FencedError:
                continue

    def _present(self, what: str, names: int) -> str:
        return f"{what}-{self._random.randrange(names)}-{int(time.time()) // _NAMES_LAST_S}"

    async def _append(self, workflow_id: str, version: int, epoch: int | None = None) -> int:
        """Make one append, again and again until it is answered; how many events it stored."""
        size = self._random.choice([1, 1, 2, 3, 5, 8, 13])
        events = new_append(workflow_id, version + 1, size, self._name, epoch)
        try:
            stored = await self._surely(lambda: self._store.append_many(events, epoch=epoch))
        except (ConcurrencyError, FencedError) as error:
            self._notes.note(Refusal(operation_of(events[0]).hex, type(error).__name__))
            raise
        self._notes.note(_ack(stored))
        return size

    async def _surely(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await ask()
            except UnavailableError:
                await asyncio.sleep(RETRY_S)


def _ack(stored: list[WorkflowEvent]) -> Ack:
    first = stored[0]
    assert first.recorded_at is not None
    assert first.position is not None
    recorded_us = (first.recorded_at - _EPOCH) // timedelta(microseconds=1)
    ids = [event.event_id.hex for event in stored]
    return Ack(first.workflow_id, first.version, first.position, recorded_us, ids)


async def main(dsn: str, notes_path: str, name: str, seed: str) -> None:
    """Write until asked to end."""
    stop, notes = stop_signal(), NoteBook(Path(notes_path))
    async with connected_store(dsn) as store:
        keeping = asyncio.create_task(notes.keep())
        await Writer(store, notes, name, seed, stop).run()
        keeping.cancel()
        notes.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

"""Micro-batches: whatever waits while one batch is on its way is the next batch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from aetherops.errors import UnavailableError
from aetherops.workflow.appends import Append
from aetherops.workflow.events.base import WorkflowEvent

__all__ = ["MAX_APPENDS", "MAX_BATCH_BYTES", "AppendBatcher", "Outcome"]

#: The most appends, and about the most bytes of payload, that one batch takes; a single append
#: that is larger goes alone.
MAX_APPENDS = 512
MAX_BATCH_BYTES = 4 << 20

#: What became of one append: its events as recorded, or why it is refused.
Outcome: TypeAlias = list[WorkflowEvent] | Exception


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    append: Append
    answer: asyncio.Future[list[WorkflowEvent]]


class AppendBatcher:
    """Gathers the appends of many callers; one batch is on its way at a time, and none waits long.

    The task that sends batches lives as long as there are any, and never ends with somebody
    waiting: whatever ends it is what they are told.

    Parameters
    ----------
    write : sends a batch and returns what became of each; what it raises is told to all of them.
        No workflow and no event id stands in two appends of a batch.
    """

    def __init__(self, write: Callable[[Sequence[Append]], Awaitable[Sequence[Outcome]]]) -> None:
        self._write = write
        self._waiting: deque[_Waiter] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._is_closed = False

    async def submit(self, append: Append) -> list[WorkflowEvent]:
        """The events as recorded, once their batch has been committed.

        A caller that is cancelled before its batch was sent is not in it.

        Raises
        ------
        UnavailableError
            The batcher is closed.
        """
        if self._is_closed:
            raise UnavailableError("event store")
        waiter = _Waiter(append, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        if self._sending is None:
            # In a context of its own: it outlives the caller that happens to come first.
            self._sending = asyncio.create_task(self._send_all(), context=Context())
        return await waiter.answer

    async def close(self) -> None:
        """Take no more appends, and wait until those that wait are stored or refused."""
        self._is_closed = True
        if self._sending is not None:
            await asyncio.wait([self._sending])

    async def _send_all(self) -> None:
        batch: list[_Waiter] = []
        try:
            while batch := self._take():
                await self._send(batch)
        except BaseException as error:
            told = error if isinstance(error, Exception) else UnavailableError("event store")
            _tell(batch, [told] * len(batch))
            _tell(self._waiting, [told] * len(self._waiting))
            self._waiting.clear()
            raise
        finally:
            # Without a pause since the last look at who waits: nobody comes in between.
            self._sending = None

    async def _send(self, batch: Sequence[_Waiter]) -> None:
        try:
            outcomes = await self._write([waiter.append for waiter in batch])
        except Exception as error:
            outcomes = [error] * len(batch)
        _tell(batch, outcomes)

    def _take(self) -> list[_Waiter]:
        """The next batch, in the order of arrival, of whoever can be in one."""
        batch: list[_Waiter] = []
        later: list[_Waiter] = []
        workflows: set[str] = set()
        ids: set[UUID] = set()
        room = MAX_BATCH_BYTES
        while self._waiting and len(batch) + len(later) < MAX_APPENDS:
            waiter = self._waiting[0]
            append = waiter.append
            if batch and append.size > room:
                break
            self._waiting.popleft()
            if waiter.answer.done():
                continue
            new_ids = {event.event_id for event in append.events}
            if append.workflow_id in workflows or not ids.isdisjoint(new_ids):
                later.append(waiter)
            else:
                batch.append(waiter)
                room -= append.size
            # Of whom waits, too: appends of one workflow keep their order.
            workflows.add(append.workflow_id)
            ids |= new_ids
        self._waiting.extendleft(reversed(later))
        return batch


def _tell(waiters: Sequence[_Waiter] | deque[_Waiter], outcomes: Sequence[Outcome]) -> None:
    for waiter, outcome in zip(waiters, outcomes, strict=True):
        if waiter.answer.done():
            continue  # its caller was cancelled
        if isinstance(outcome, Exception):
            waiter.answer.set_exception(outcome)
        else:
            waiter.answer.set_result(outcome)

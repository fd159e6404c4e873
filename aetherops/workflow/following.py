"""Following the global order: what is stored, then each event as it comes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from aetherops.workflow.errors import MissingEventError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aetherops.events import Listeners
    from aetherops.workflow.events.base import WorkflowEvent
    from aetherops.workflow.store import EventStore

__all__ = ["follow"]

_PAGE = 1000


async def follow(
    store: EventStore, after: int, hints: Listeners[int], poll_s: float = 0.25
) -> AsyncIterator[WorkflowEvent]:
    """Every event after a position, without end; what a subscription is made of.

    Parameters
    ----------
    store : where events are read.
    after : the position of the last event that is known.
    hints : heard from any thread when there may be more; a hint that is lost costs `poll_s`.
    poll_s : seconds after which it looks without a hint.

    Raises
    ------
    MissingEventError
        A position is missing: the store has broken its promise, and going on would lose an event.
    """
    loop, more = asyncio.get_running_loop(), asyncio.Event()

    def wake(_: int) -> None:
        with suppress(RuntimeError):  # the loop has ended, and this subscription with it
            loop.call_soon_threadsafe(more.set)

    hints.add(wake)
    try:
        while True:
            more.clear()
            page = await store.read_from(after, _PAGE)
            for event in page:
                after = _next_position(after, event)
                yield event
            if len(page) < _PAGE:
                with suppress(TimeoutError):
                    async with asyncio.timeout(poll_s):
                        await more.wait()
    finally:
        hints.remove(wake)


def _next_position(after: int, event: WorkflowEvent) -> int:
    if event.position != after + 1:
        raise MissingEventError("position", after + 1, event.position or 0)
    return after + 1

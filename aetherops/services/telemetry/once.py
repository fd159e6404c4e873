"""Work that is done at most once, whoever asks for its outcome."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Once"]

T = TypeVar("T")


class Once(Generic[T]):
    """The outcome of work that begins when it is first asked for.

    The work is named with each request and not kept, and neither is a failure, whose traceback
    holds everything that took part: so the owner of a `Once` never holds itself, and what it
    computed goes as soon as the owner does. All who wait when work fails get that failure; who
    asks later lets it be tried again.
    """

    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running: asyncio.Task[T] | None = None

    async def get(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The outcome of `work`, begun now if it was not begun before."""
        if self._running is None:
            self._running = asyncio.create_task(work())
            # Before whoever waits goes on.
            self._running.add_done_callback(self._forget_failure)
        return await self._running

    def _forget_failure(self, task: asyncio.Task[T]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._running = None

"""What every long-lived part of an instance has: a run, and a stop that its pauses heed."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import ClassVar

__all__ = ["Part", "wait_for_event"]


class Part(ABC):
    """Something that runs as long as the instance does: a worker, a watch, the HTTP server.

    What `run` raises ends the instance, loudly; where `runs_again` it is run anew instead.
    """

    #: Whether `run` may be called anew after an error that nobody foresaw.
    runs_again: ClassVar[bool] = False

    def __init__(self) -> None:
        self._stop_asked = asyncio.Event()

    @abstractmethod
    async def run(self) -> None:
        """Work until `stop` is called, then finish what is in hand and return."""

    def stop(self) -> None:
        """Ask `run` to come to its end; returns at once."""
        self._stop_asked.set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop_asked.is_set()

    async def pause(self, seconds: float) -> None:
        """Wait as between two pieces of work: so long, and no longer than until `stop`."""
        await wait_for_event(self._stop_asked, seconds)


async def wait_for_event(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, at most so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()

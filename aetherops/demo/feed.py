"""The demonstration feed as a part of an instance: real orbits, a day back and then live."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aetherops.demo.constellation import feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from aetherops.archive.intake import BatchQueue

__all__ = ["DemoFeed"]


class DemoFeed:
    """Puts the demonstration fleet's telemetry into the intake until stopped.

    Parameters
    ----------
    now_us : the clock, microseconds since 1970.
    """

    def __init__(self, intake: BatchQueue, now_us: Callable[[], int]) -> None:
        self._intake = intake
        self._now_us = now_us
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Feed until `stop`."""
        await feed(self._intake, self._now_us, self._stopping)

    def stop(self) -> None:
        """Finish the batch in hand and return from `run`."""
        self._stopping.set()

"""Memory that was freed in between goes back to the system every few seconds."""

from __future__ import annotations

import asyncio

from aetherops.runtime.memory import trim_heaps
from aetherops.runtime.part import Part

__all__ = ["MemoryReturn"]


class MemoryReturn(Part):
    """A part of an instance that trims the heaps regularly, in a thread.

    Parameters
    ----------
    period_s : time between two trims.
    """

    def __init__(self, *, period_s: float = 5.0) -> None:
        super().__init__()
        self._period_s = period_s

    async def run(self) -> None:
        """Trim until `stop`."""
        while not self.stopping:
            await self.pause(self._period_s)
            await asyncio.to_thread(trim_heaps)

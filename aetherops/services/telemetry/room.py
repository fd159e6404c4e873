"""Room in memory for samples, shared by all questions that are being answered."""

from __future__ import annotations

import asyncio
from collections import deque

from aetherops.errors import UnavailableError

__all__ = ["Lease", "SampleRoom"]


class SampleRoom:
    """Admits so many samples at once; who comes when it is full waits, in order of coming.

    A question about more than there is room for is not refused: it is answered alone.

    Parameters
    ----------
    samples : the most that are held at once.
    patience_s : how long to wait before giving up.
    """

    def __init__(self, samples: int, patience_s: float = 10.0) -> None:
        self._size = self._free = samples
        self._patience_s = patience_s
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def taken(self) -> int:
        """Samples that have room now."""
        return self._size - self._free

    async def take(self, samples: int) -> Lease:
        """Room for so many samples, to be given back.

        Whoever holds some must not wait for more: two who do would wait for each other.

        Raises
        ------
        UnavailableError
            There was none in time.
        """
        samples = min(samples, self._size)
        if self._waiting or samples > self._free:
            await self._wait(samples)
        else:
            self._free -= samples
        return Lease(self, samples)

    async def _wait(self, samples: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((samples, turn))
        try:
            async with asyncio.timeout(self._patience_s):
                await turn
        except BaseException as error:
            # Room may have been given in the very moment of giving up.
            self.give_back(samples if turn.done() and not turn.cancelled() else 0)
            if isinstance(error, TimeoutError):
                raise UnavailableError("memory for samples") from None
            raise

    def give_back(self, samples: int) -> None:
        """Room again for those who wait; called by leases."""
        self._free += samples
        while self._waiting:
            wanted, turn = self._waiting[0]
            if not turn.done():
                if wanted > self._free:
                    return
                self._free -= wanted
                turn.set_result(None)
            self._waiting.popleft()


class Lease:
    """Room that was taken, until it is released."""

    __slots__ = ("_room", "_samples")

    def __init__(self, room: SampleRoom, samples: int) -> None:
        self._room = room
        self._samples = samples

    def shrink(self, samples: int) -> None:
        """Keep room for no more than so many."""
        over = max(0, self._samples - samples)
        self._samples -= over
        self._room.give_back(over)

    def release(self) -> None:
        """Give all back; a second time does nothing."""
        self.shrink(0)

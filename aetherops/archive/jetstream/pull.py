"""Messages of the consumer that all workers share, pulled as many at a time as there are."""

from __future__ import annotations

import asyncio
import json
import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from nats.js.errors import APIError

from aetherops.archive.jetstream.streams import CONSUMER, STREAM

if TYPE_CHECKING:
    from nats.aio.msg import Msg

    from aetherops.connections.nats import Nats

__all__ = ["Pull"]

_MAX_BYTES = 32 * 2**20
_NEXT = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{CONSUMER}"
_SECOND_NS = 10**9
_NOTHING_THERE, _NOT_IN_TIME, _NO_MORE_ROOM = "404", "408", "409"
_PACE_S = 0.1
_FEW_BYTES = 2 * 2**20
# For the server's word that time is up to be here before ours is.
_GRACE_S = 0.1


class Pull:
    """Pulls messages, each delivered until acknowledged; runs inside guarded uses of `nats`.

    The driver's own way waits out its time for messages that are yet to come, and knows no limit
    in bytes.

    Workers of one process share one, and take turns: writing merges what came together, so two
    transactions of a few batches each cost twice as much as one of all of them.

    Parameters
    ----------
    pace_s : after little was there, the next turn begins so much later.
    max_bytes : the most at once; a message that is larger comes alone.
    """

    def __init__(self, nats: Nats, *, pace_s: float = _PACE_S, max_bytes: int = _MAX_BYTES) -> None:
        self._nats = nats
        self._max_bytes = max_bytes
        self._pace_s = pace_s
        self._turn = asyncio.Lock()
        self._next_s = -math.inf
        self._arrived: asyncio.Queue[Msg] = asyncio.Queue()
        self._inbox = ""
        self._requests = 0

    async def fetch(self, limit: int, wait_s: float) -> list[Msg]:
        """Up to `limit` messages, as soon as there is one; none after `wait_s` seconds.

        Raises
        ------
        APIError
            The server refuses: the consumer is gone, or as it is set may not be asked so.
        """
        until_s = time.monotonic() + wait_s
        try:
            async with asyncio.timeout(wait_s):
                await self._turn.acquire()
        except TimeoutError:
            return []
        try:
            await asyncio.sleep(min(self._next_s, until_s) - time.monotonic())
            messages = await self._fetch(limit, until_s, wait_s)
            if len(messages) < limit and sum(len(one.data) for one in messages) < _FEW_BYTES:
                self._next_s = time.monotonic() + self._pace_s
            return messages
        finally:
            self._turn.release()

    async def _fetch(self, limit: int, until_s: float, wait_s: float) -> list[Msg]:
        messages = await self._pull_waiting(limit, until_s)
        left_s = until_s - time.monotonic()
        if messages or left_s <= 0:
            return messages
        # One, whatever its size; what came with it is waiting by then.
        one = {"batch": 1, "expires": int(left_s * _SECOND_NS)}
        messages = await self._pull(one, until_s, (_NOTHING_THERE, _NOT_IN_TIME))
        if messages and limit > 1 and len(messages[0].data) < self._max_bytes:
            messages += await self._pull_waiting(limit - 1, time.monotonic() + wait_s)
        return messages

    async def _pull_waiting(self, limit: int, until_s: float) -> list[Msg]:
        waiting = {"batch": limit, "max_bytes": self._max_bytes, "no_wait": True}
        return await self._pull(waiting, until_s, (_NOTHING_THERE, _NOT_IN_TIME, _NO_MORE_ROOM))

    async def _pull(
        self, request: dict[str, int | bool], until_s: float, ends: tuple[str, ...]
    ) -> list[Msg]:
        """What a request brings until the server ends it, or what has come when time is up."""
        if not self._inbox:
            await self._listen()
        self._requests += 1
        reply = f"{self._inbox}.{self._requests}"
        await self._nats.client.publish(_NEXT, json.dumps(request).encode(), reply=reply)
        messages: list[Msg] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(until_s - time.monotonic() + _GRACE_S):
                while len(messages) < request["batch"]:
                    message = await self._arrived.get()
                    if not message.subject.startswith(self._inbox):
                        messages.append(message)  # also one that an earlier request brought late
                    elif message.subject == reply:
                        if not messages and (message.headers or {}).get("Status") not in ends:
                            APIError.from_msg(message)
                        break
        return messages

    async def _listen(self) -> None:
        async def keep(message: Msg) -> None:
            self._arrived.put_nowait(message)

        inbox = self._nats.client.new_inbox()
        await self._nats.client.subscribe(f"{inbox}.*", cb=keep)
        self._inbox = inbox

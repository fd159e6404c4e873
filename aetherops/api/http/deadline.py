"""The time that an answer may take: below what clients wait, so that they are told why."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Deadline"]

_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})


class Deadline:
    """Cuts off what has not begun its answer in time, with 504.

    The time begins once the whole request is read (how long its body takes is bounded elsewhere),
    and ends with the answer's head: a client may read its answer slowly.

    Parameters
    ----------
    limit_s : from the one to the other.
    """

    def __init__(self, app: ASGIApp, limit_s: float) -> None:
        self._app = app
        self._limit_s = limit_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        started = False

        async def receive_timed() -> Message:
            message = await receive()
            if not (started or message.get("more_body", False)):
                deadline.reschedule(loop.time() + self._limit_s)
            return message

        async def send_timed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                deadline.reschedule(None)
            await send(message)

        begins_now = scope["method"] in _WITHOUT_BODY
        deadline = asyncio.timeout(self._limit_s if begins_now else None)
        try:
            async with deadline:
                await self._app(scope, receive_timed, send_timed)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise HTTPException(
                504, f"no answer within {self._limit_s:g} s, try again", {"Retry-After": "1"}
            ) from None

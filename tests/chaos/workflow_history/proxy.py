"""A way to PostgreSQL that loses answers: what was asked is done, and nobody is told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

__all__ = ["Proxy"]

_CHUNK = 1 << 16
# Appends are long questions, readings short ones.
_LONG_QUESTION = 300
_BIND = b"B"
# Ready for the next question, outside a transaction or inside one.
_READY = b"Z\x00\x00\x00\x05"
_COMMITTED, _IN_TRANSACTION = b"I", b"T"


@dataclass
class Proxy:
    """Passes bytes on, and at times swallows the answer to an append once it has been committed.

    Parameters
    ----------
    socket : of the server.
    seed : of the chance.
    one_in : so many appends come to one whose answer is lost.
    """

    socket: str
    seed: int
    one_in: int
    swallowed: int = 0
    port: int = 0
    _random: random.Random = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        """Listen on a free port while the block runs."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(OSError, asyncio.CancelledError):
            server_reader, server_writer = await asyncio.open_unix_connection(self.socket)
            link = _Link(self, reader, writer, server_reader, server_writer)
            pumps = [asyncio.create_task(link.questions()), asyncio.create_task(link.answers())]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
                server_writer.transport.abort()
        writer.transport.abort()

    def loses(self) -> bool:
        """Whether the next answer is lost."""
        return self._random.randrange(self.one_in) == 0


@dataclass
class _Link:
    proxy: Proxy
    client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    server: asyncio.StreamReader
    to_server: asyncio.StreamWriter
    is_losing: bool = False

    async def questions(self) -> None:
        while chunk := await self.client.read(_CHUNK):
            if chunk[:1] == _BIND and len(chunk) > _LONG_QUESTION and self.proxy.loses():
                self.is_losing = True
            self.to_server.write(chunk)
            await self.to_server.drain()

    async def answers(self) -> None:
        tail = b""
        while chunk := await self.server.read(_CHUNK):
            if not self.is_losing:
                self.to_client.write(chunk)
                await self.to_client.drain()
                continue
            tail = (tail + chunk)[-len(_READY) - 1 :]
            if tail in (_READY + _COMMITTED, _READY + _IN_TRANSACTION):
                self.proxy.swallowed += tail.endswith(_COMMITTED)
                return

"""Limiter counters in Redis or Valkey: one Lua script, one key and one round trip a decision.

Decisions that come together travel together, and those for the same key and cost are asked as one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, TypeAlias

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, RedisError, ResponseError

from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.ratelimit.errors import ForeignEntryError
from aetherops.ratelimit.redis.script import Ask, Script
from aetherops.ratelimit.shared.limiter import Grant
from aetherops.ratelimit.state import Limit

__all__ = ["RedisCounters"]

_Reply: TypeAlias = list[int] | Exception

_PIPELINES = 2
_CONNECT_S = 1.0  # a connection is made beside the decisions, which do not wait for it so long
_FAILURES = (RedisError, OSError, TimeoutError)


class RedisCounters:
    """Counts of limited keys, kept by a server for all who ask it.

    Each key is one entry of the server, which also reads the clock, so that processes need not
    agree on theirs. An entry expires when its key is as if never seen.

    Parameters
    ----------
    client : a client, or a cluster's.
    name : tells these limits' keys from others'.
    limits : one window, or one or more buckets.
    deadline_s : what takes longer is given up as unavailable.
    clock_us : time in microseconds, for servers whose scripts may not read theirs.

    Raises
    ------
    InvalidInputError
        Limits of mixed kinds, or too large for the exact numbers of Lua.
    """

    def __init__(
        self,
        client: Redis | RedisCluster,
        name: str,
        *limits: Limit,
        deadline_s: float = 0.04,
        clock_us: Callable[[], int] | None = None,
    ) -> None:
        if deadline_s <= 0:
            raise InvalidInputError("deadline_s", deadline_s, "seconds, above 0")
        script = Script(name, limits, clock_us)
        self._pipelines = [_Pipeline(client, script, deadline_s) for _ in range(_PIPELINES)]

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits in force."""
        return self._pipelines[0].script.limits

    async def take(self, key: str | int, least: int, most: int, replicas: int = 0) -> Grant:
        """Take as many times ``least`` as there are, up to ``most``.

        Raises
        ------
        UnavailableError
            The server does not answer within the deadline, or refuses.
        ForeignEntryError
            The key's entry is of another type than counters are.
        """
        # A coroutine, not the future: a breaker that is open must not have asked.
        return await self._pipeline(key).take(key, least, most, replicas)

    async def look(self, key: str | int, cost: int) -> Grant:
        """How the key stands, for a cost. Raises as ``take`` does."""
        return await self._pipeline(key).ask(Ask(key, b"look", cost, cost, 0))

    async def give(self, key: str | int, cost: int) -> Grant:
        """Give back what was taken and not used. Raises as ``take`` does."""
        return await self._pipeline(key).ask(Ask(key, b"give", cost, cost, 0))

    def change(self, limits: Sequence[Limit]) -> None:
        """Put other limits of the same kinds in force; credit keeps its share."""
        script = self._pipelines[0].script.changed(limits)
        for pipeline in self._pipelines:
            pipeline.script = script

    async def aclose(self) -> None:
        """End what is under way; its callers are told that the store is unavailable."""
        for pipeline in self._pipelines:
            await pipeline.aclose()

    def _pipeline(self, key: str | int) -> _Pipeline:
        """The same for the same key, so that what is asked of it stays in order."""
        return self._pipelines[hash(key) % _PIPELINES]


class _Pipeline:
    """Batches one after the other: while one is on its way, the next one gathers.

    There are two, so that the server works on one's batch while this process reads the other's.
    """

    def __init__(self, client: Redis | RedisCluster, script: Script, deadline_s: float) -> None:
        self.script = script
        self._deadline_s = deadline_s
        self._server = (
            _Cluster(client)
            if isinstance(client, RedisCluster)
            else _OneServer(client, script.source)
        )
        self._gathering: list[Ask] = []
        self._latest: dict[str | int, Ask] = {}
        self._sending: asyncio.Task[None] | None = None

    def take(self, key: str | int, least: int, most: int, replicas: int) -> asyncio.Future[Grant]:
        latest = self._latest.get(key)
        if latest is not None and latest.takes(least, most, replicas):
            return latest.join(most)
        return self.ask(Ask(key, b"take", least, most, replicas))

    def ask(self, ask: Ask) -> asyncio.Future[Grant]:
        answer = ask.open()
        self._gathering.append(ask)
        self._latest[ask.key] = ask
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())
        return answer

    async def aclose(self) -> None:
        sending, self._sending = self._sending, None
        if sending is not None:
            sending.cancel()
            # Not awaited itself: its error was told, and a cancellation of this is not its own.
            await asyncio.wait([sending])
            # One that was cancelled before its first step has told nobody.
            self._fail([], asyncio.CancelledError("closed"))
        await self._server.aclose()

    async def _send_all(self) -> None:
        """Send what has gathered, batch after batch, until nothing is left."""
        asks: list[Ask] = []
        try:
            while self._gathering:
                asks, self._gathering = self._gathering, []
                self._latest.clear()
                async with asyncio.timeout(self._deadline_s):
                    replies = await self._exchange(asks)
                for ask, reply in zip(asks, replies, strict=True):
                    if isinstance(reply, Exception):
                        ask.fail(_unavailable(reply))
                    else:
                        ask.answer(reply)
                await asyncio.sleep(0)  # those who were answered may ask again at once
        except _FAILURES as error:
            self._fail(asks, error)
        except BaseException as error:
            self._fail(asks, error)
            raise
        finally:
            # After `aclose` another task may be sending already.
            if self._sending is asyncio.current_task():
                self._sending = None

    def _fail(self, asks: Sequence[Ask], error: BaseException) -> None:
        """Those who still gather would wait for the same server, beyond their deadline."""
        unavailable = _unavailable(error)
        for ask in (*asks, *self._gathering):
            ask.fail(unavailable)
        self._gathering.clear()
        self._latest.clear()

    async def _exchange(self, asks: Sequence[Ask]) -> list[_Reply]:
        """One round trip; a script that the server does not know is loaded, and asked again."""
        script = self.script
        replies = await self._server.run(script, asks)
        unknown = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            await self._server.load(script.source)
            again = await self._server.run(script, [asks[i] for i in unknown])
            for i, reply in zip(unknown, again, strict=True):
                replies[i] = reply
        return replies


class _OneServer:
    """Batches over one connection, taken from a client's pool."""

    def __init__(self, client: Redis, source: str) -> None:
        self._pool: Any = client.connection_pool
        self._source = source
        self._connecting: asyncio.Task[AbstractConnection] | None = None

    async def run(self, script: Script, asks: Sequence[Ask]) -> list[_Reply]:
        connection = await self._connection()
        try:
            await connection.send_packed_command([script.packed(asks)])
            return [await _reply(connection) for _ in asks]
        except BaseException:
            # A late answer must not be taken for one to the next batch.
            self._connecting = None
            await self._drop(connection)
            raise

    async def load(self, source: str) -> None:
        await _load(await self._connection(), source)

    async def aclose(self) -> None:
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.cancel()
            await asyncio.wait([connecting])
            if not connecting.cancelled() and connecting.exception() is None:
                with contextlib.suppress(*_FAILURES):
                    await self._pool.release(connecting.result())

    async def _connection(self) -> AbstractConnection:
        """The connection, made by a task that goes on after a batch has given up waiting."""
        connecting = self._connecting
        if connecting is None:
            connecting = self._connecting = asyncio.create_task(self._connect())
            connecting.add_done_callback(self._forget_failed)
        elif connecting.done():
            return connecting.result()
        return await asyncio.shield(connecting)

    def _forget_failed(self, connecting: asyncio.Task[AbstractConnection]) -> None:
        """Kept, a connection that was not made would fail every batch from now on."""
        failed = connecting.cancelled() or connecting.exception() is not None
        if failed and self._connecting is connecting:
            self._connecting = None

    async def _connect(self) -> AbstractConnection:
        """A connection whose server knows the script, so that one round trip is a decision."""
        async with asyncio.timeout(_CONNECT_S):
            connection: AbstractConnection = await self._pool.get_connection()
            try:
                await _load(connection, self._source)
            except BaseException:
                await self._drop(connection)
                raise
        return connection

    async def _drop(self, connection: AbstractConnection) -> None:
        await connection.disconnect(nowait=True)
        await self._pool.release(connection)


class _Cluster:
    """Batches that the client's pipeline parts among a cluster's nodes."""

    def __init__(self, client: RedisCluster) -> None:
        self._client = client

    async def run(self, script: Script, asks: Sequence[Ask]) -> list[_Reply]:
        pipeline = self._client.pipeline()
        for words in script.commands(asks):
            pipeline.execute_command(*words)
        replies: list[_Reply] = await pipeline.execute(raise_on_error=False)
        return replies

    async def load(self, source: str) -> None:
        await self._client.script_load(source)

    async def aclose(self) -> None:
        """The client is its owner's."""


async def _load(connection: AbstractConnection, source: str) -> None:
    await connection.send_command("SCRIPT", "LOAD", source)
    await connection.read_response(disable_decoding=True)


async def _reply(connection: AbstractConnection) -> _Reply:
    try:
        # The batch has a deadline; a timer for each of its replies would cost as much as the rest.
        reply: list[int] = await connection.read_response(disable_decoding=True, timeout=inf)
    except ResponseError as error:
        return error
    return reply


def _unavailable(error: BaseException) -> UnavailableError:
    # Older servers put the code of an error in a script behind words of their own.
    is_foreign = isinstance(error, ResponseError) and "WRONGTYPE" in str(error)
    unavailable = ForeignEntryError("redis") if is_foreign else UnavailableError("redis")
    unavailable.__cause__ = error
    return unavailable

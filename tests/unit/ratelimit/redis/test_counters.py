"""The adapter against a server of this process that answers as a test tells it to.

What a real server decides is tested in tests/integration; here is what the adapter makes of
answers, errors and silence.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import Connection, ConnectionPool

from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.ratelimit import BucketLimit, Rate, Reason
from aetherops.ratelimit.errors import ForeignEntryError
from aetherops.ratelimit.redis.counters import RedisCounters
from aetherops.ratelimit.redis.script import Ask, Script
from aetherops.ratelimit.shared.limiter import Grant, SharedLimiter

LIMIT = BucketLimit(10, Rate.of(4))
GRANTED = b"*5\r\n:1\r\n:0\r\n:9\r\n:0\r\n:250000\r\n"
OK = b"+OK\r\n"
NO_SCRIPT = b"-NOSCRIPT No matching script\r\n"


class Server:
    """Speaks the protocol; ``decide`` answers EVALSHA, or nothing where it gives None."""

    def __init__(self) -> None:
        self.decide: Callable[[list[bytes]], bytes | None] = lambda words: GRANTED
        self.load: bytes | None = b"$2\r\nok\r\n"
        self.asked: list[bytes] = []
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while words := await self._command(reader):
                name = words[0].upper()
                self.asked.append(name)
                reply = self._reply(name, words)
                if reply is not None:
                    writer.write(reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _command(self, reader: asyncio.StreamReader) -> list[bytes]:
        count = int((await reader.readline() or b"*0")[1:])
        words = []
        for _ in range(count):
            size = int((await reader.readline())[1:])
            words.append((await reader.readexactly(size + 2))[:-2])
        return words

    def _reply(self, name: bytes, words: list[bytes]) -> bytes | None:
        if name == b"EVALSHA":
            return self.decide(words)
        if name == b"SCRIPT":
            return self.load
        if name == b"CLUSTER":
            node = b"*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n" % self.port
            return b"*1\r\n*3\r\n:0\r\n:16383\r\n%b" % node
        if name == b"COMMAND":
            return b"*1\r\n*6\r\n$7\r\nevalsha\r\n:-3\r\n*1\r\n$8\r\nmovablek\r\n:0\r\n:0\r\n:0\r\n"
        return OK


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    scripted = Server()
    listening = await asyncio.start_server(scripted.answer, "127.0.0.1", 0)
    scripted.port = listening.sockets[0].getsockname()[1]
    yield scripted
    listening.close()


@pytest_asyncio.fixture
async def client(server: Server) -> AsyncIterator[Redis]:
    connected = Redis(host="127.0.0.1", port=server.port, protocol=2)
    yield connected
    await connected.aclose()


@pytest_asyncio.fixture
async def counters(client: Redis) -> AsyncIterator[RedisCounters]:
    made = RedisCounters(client, "unit", LIMIT, deadline_s=2.0)
    yield made
    await made.aclose()


def test_commands_are_packed_as_the_driver_packs_them() -> None:
    script = Script("http", [LIMIT], clock_us=lambda: 5)
    asks = [Ask(key, b"take", 1, 1, 0) for key in ("a", 7, "Zürich", "")] + [
        Ask("k", b"give", 2**40, 2**40, 3)
    ]
    packed = script.packed(asks)
    assert packed == b"".join(Connection().pack_commands(script.commands(asks)))


async def test_each_question_is_one_command(server: Server, counters: RedisCounters) -> None:
    assert await counters.take("k", 1, 1) == Grant(1, 0, 9, 0, 250_000)
    assert (await counters.look("k", 1)).left == 9
    assert (await counters.give("k", 1)).granted == 1
    assert server.asked.count(b"EVALSHA") == 3


async def test_decisions_on_one_key_and_cost_are_one_command(
    server: Server, counters: RedisCounters
) -> None:
    server.decide = lambda words: b"*5\r\n:2\r\n:0\r\n:0\r\n:7\r\n:9\r\n"
    granted = await asyncio.gather(*(counters.take("k", 1, 1) for _ in range(3)))
    assert [grant.granted for grant in granted] == [1, 1, 0]
    assert server.asked.count(b"EVALSHA") == 1


async def test_other_limits_take_the_place_of_these(counters: RedisCounters) -> None:
    counters.change([BucketLimit(20, Rate.of(1))])
    assert counters.limits == (BucketLimit(20, Rate.of(1)),)


def test_a_deadline_is_above_zero() -> None:
    with pytest.raises(InvalidInputError, match="deadline_s"):
        RedisCounters(Redis(), "unit", LIMIT, deadline_s=0)


async def test_a_script_that_the_server_forgot_is_loaded_again(
    server: Server, counters: RedisCounters
) -> None:
    replies = [NO_SCRIPT, GRANTED]
    server.decide = lambda words: replies.pop(0)
    assert (await counters.take("k", 1, 1)).granted == 1
    assert server.asked.count(b"SCRIPT") == 2


async def test_an_error_of_one_decision_is_told_to_its_caller(
    server: Server, counters: RedisCounters
) -> None:
    server.decide = lambda words: b"-ERR no\r\n"
    with pytest.raises(UnavailableError) as refused:
        await counters.take("k", 1, 1)
    assert "no" in str(refused.value.__cause__)


async def test_silence_ends_at_the_deadline_and_the_connection_with_it(
    server: Server, client: Redis
) -> None:
    counters = RedisCounters(client, "unit", LIMIT, deadline_s=0.5)
    await counters.take("k", 1, 1)
    server.decide = lambda words: None
    with pytest.raises(UnavailableError):
        await counters.take("k", 1, 1)
    server.decide = lambda words: GRANTED
    assert (await counters.take("k", 1, 1)).granted == 1
    await counters.aclose()


async def test_a_server_that_is_away_is_unavailable() -> None:
    client = Redis(host="127.0.0.1", port=1, protocol=2)
    counters = RedisCounters(client, "unit", LIMIT)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await counters.take("k", 1, 1)
    await counters.aclose()
    await client.aclose()


async def test_a_connection_whose_server_loads_no_script_is_dropped(
    server: Server, counters: RedisCounters
) -> None:
    server.load = b"-NOPERM not you\r\n"
    with pytest.raises(UnavailableError):
        await counters.take("k", 1, 1)
    server.load = OK
    assert (await counters.take("k", 1, 1)).granted == 1


async def test_a_fault_of_ours_reaches_the_caller_as_unavailable_and_the_loop_as_it_is(
    server: Server, client: Redis
) -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    ticks = iter([1])
    counters = RedisCounters(client, "unit", LIMIT, clock_us=lambda: next(ticks))
    await counters.take("k", 1, 1)
    with pytest.raises(UnavailableError) as refused:
        await counters.take("k", 1, 1)
    assert isinstance(refused.value.__cause__, RuntimeError | StopIteration)
    await counters.aclose()


@pytest.mark.parametrize("steps", [0, 1, 30])
async def test_closing_tells_those_who_wait(server: Server, client: Redis, steps: int) -> None:
    server.decide = lambda words: None
    counters = RedisCounters(client, "unit", LIMIT, deadline_s=30)
    waiting = asyncio.create_task(counters.take("k", 1, 1))
    await asyncio.sleep(0)
    for _ in range(steps):
        await asyncio.sleep(0.002)
    await counters.aclose()
    with pytest.raises(UnavailableError):
        await waiting


async def test_closing_what_was_never_used_asks_nobody(server: Server, client: Redis) -> None:
    await RedisCounters(client, "unit", LIMIT).aclose()
    assert server.asked == []


async def test_a_cluster_is_asked_through_the_drivers_pipeline(server: Server) -> None:
    replies = [NO_SCRIPT, GRANTED]
    server.decide = lambda words: replies.pop(0)
    async with RedisCluster(host="127.0.0.1", port=server.port, protocol=2) as cluster:
        counters = RedisCounters(cluster, "unit", LIMIT, deadline_s=5)
        assert (await counters.take("k", 1, 1)).granted == 1
        await counters.aclose()
    assert server.asked.count(b"EVALSHA") == 2


def test_a_pool_of_this_driver_gives_a_connection_for_whatever_is_asked() -> None:
    inspect.signature(ConnectionPool.get_connection).bind(object())  # raises where it wants more


WRONG_TYPES = [
    b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    b"-ERR Error running script (call to f_1): @user_script:4: WRONGTYPE Operation\r\n",
]


@pytest.mark.parametrize("reply", WRONG_TYPES)
async def test_an_entry_that_others_wrote_is_its_keys_fault_alone(
    server: Server, counters: RedisCounters, reply: bytes
) -> None:
    server.decide = lambda words: reply if words[3].endswith(b"{foreign}") else GRANTED
    limiter = SharedLimiter(counters)
    assert (await limiter.decide("foreign")).reason is Reason.LOCAL_GRANTED
    assert (await limiter.decide("k")).reason is Reason.GRANTED
    assert limiter.fallback_total == 1
    with pytest.raises(ForeignEntryError, match="something else than a counter"):
        await counters.take("foreign", 1, 1)


@pytest.mark.parametrize("reply", [b"-NOPERM not you\r\n", b"-READONLY a replica\r\n"])
async def test_a_server_that_may_not_decide_is_unavailable_for_every_key(
    server: Server, counters: RedisCounters, reply: bytes
) -> None:
    server.decide = lambda words: reply
    limiter = SharedLimiter(counters)
    await limiter.decide("one")
    server.decide = lambda words: GRANTED
    assert (await limiter.decide("other")).reason is Reason.LOCAL_GRANTED


def tasks_of(*names: str) -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task.get_coro().__name__ in names]  # type: ignore[union-attr]


@pytest.mark.parametrize("steps", [1, 3, 10])
async def test_a_connection_whose_making_was_cancelled_is_made_anew(
    server: Server, counters: RedisCounters, steps: int
) -> None:
    server.load = None  # so that it is not made before it is cancelled
    waiting = asyncio.create_task(counters.take("k", 1, 1))
    for _ in range(steps):
        await asyncio.sleep(0)
    while not (making := tasks_of("_connect")):
        await asyncio.sleep(0)
    for task in making:
        task.cancel()
    with pytest.raises(UnavailableError):
        await waiting
    server.load = OK
    assert (await counters.take("k", 1, 1)).granted == 1


async def test_what_is_asked_while_it_closes_is_answered_or_refused(
    server: Server, client: Redis
) -> None:
    counters = RedisCounters(client, "unit", LIMIT, deadline_s=5)
    server.decide = lambda words: None
    first = asyncio.create_task(counters.take("k", 1, 1))
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(counters.aclose())
    await asyncio.sleep(0)
    server.decide = lambda words: GRANTED
    later = [asyncio.create_task(counters.take("k", 1, cost)) for cost in (1, 2)]
    async with asyncio.timeout(4):
        ends = await asyncio.gather(first, *later, return_exceptions=True)
        await closing
    assert all(isinstance(end, Grant | UnavailableError) for end in ends)
    assert (await counters.take("k", 1, 1)).granted == 1
    await counters.aclose()


async def test_who_sends_after_a_closing_is_not_forgotten_by_who_sent_before(
    server: Server, counters: RedisCounters
) -> None:
    pipeline = counters._pipeline("k")
    another = asyncio.create_task(asyncio.sleep(0))

    def close_and_send_again(words: object) -> object:
        pipeline._sending = another
        return GRANTED

    server.decide = close_and_send_again
    assert (await counters.take("k", 1, 1)).granted == 1
    await another
    assert pipeline._sending is another
    pipeline._sending = None

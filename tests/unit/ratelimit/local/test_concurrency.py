"""Threads and tasks that hammer one key never get more than the limit."""

import asyncio
import sys
import threading

import pytest

from aetherops.core._pure.ratelimit import bucket_counters, fixed_counters, sliding_counters
from aetherops.ratelimit import FixedWindowLimiter, SlidingWindowLimiter, TokenBucket

BUILDERS = {
    "bucket": lambda clock: TokenBucket(1000, 1, clock_ns=clock),
    "fixed": lambda clock: FixedWindowLimiter(1000, 60, clock_ns=clock),
    "strict": lambda clock: SlidingWindowLimiter(1000, 60, clock_ns=clock),
    "interpolated": lambda clock: SlidingWindowLimiter(
        1000, 60, mode="interpolated", clock_ns=clock
    ),
    "pure bucket": lambda clock: bucket_counters.BucketCounters(
        [(1, 10**6, 10**9)], clock_ns=clock
    ),
    "pure fixed": lambda clock: fixed_counters.FixedCounters(1000, 60 * 10**6, clock_ns=clock),
    "pure strict": lambda clock: sliding_counters.SlidingCounters(
        1000, 60 * 10**6, 8, True, clock_ns=clock
    ),
}


@pytest.fixture
def frequent_switches():
    """Threads change places as often as they can."""
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval_s)


@pytest.mark.usefixtures("frequent_switches")
@pytest.mark.parametrize("kind", BUILDERS)
def test_threads_on_one_key_get_exactly_the_limit(kind, clock):
    limiter = BUILDERS[kind](clock)
    granted = []
    start = threading.Barrier(8)

    def hammer():
        start.wait()
        granted.append(sum(limiter.allow("k") for _ in range(400)))

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 1000
    assert (limiter.granted_total, limiter.refused_total) == (1000, 2200)


@pytest.mark.usefixtures("frequent_switches")
@pytest.mark.parametrize("kind", BUILDERS)
def test_threads_on_many_keys_keep_the_table_whole(kind, clock):
    limiter = BUILDERS[kind](clock)
    start = threading.Barrier(4)

    def churn(seed):
        start.wait()
        for i in range(300):
            limiter.allow(f"k{(i * seed) % 97}", 7)
            limiter.reset(f"k{(i * seed) % 31}")
            if i % 50 == 0:
                limiter.keys()

    threads = [threading.Thread(target=churn, args=(seed,)) for seed in (3, 5, 7, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = limiter.keys()
    assert len(set(keys)) == len(keys) == len(limiter)
    assert all(key in limiter for key in keys)


async def test_tasks_on_one_key_get_exactly_the_limit(clock):
    bucket = TokenBucket(100, 1, clock_ns=clock)

    async def ask():
        await asyncio.sleep(0)
        return bucket.allow("k")

    assert sum(await asyncio.gather(*(ask() for _ in range(500)))) == 100

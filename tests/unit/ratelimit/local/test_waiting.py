"""Acquiring: who waits is served in order, in time or not at all, and may leave."""

import asyncio
import threading
import time

import pytest

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.ratelimit import TokenBucket


def test_a_granted_acquire_does_not_wait(clock):
    bucket = TokenBucket(3, 1, clock_ns=clock)
    assert bucket.acquire("k", 3)
    assert bucket.peek("k").remaining == 0


def test_acquire_waits_until_the_tokens_have_come():
    bucket = TokenBucket(1, 50)
    bucket.allow("k")
    start_ns = time.monotonic_ns()
    assert bucket.acquire("k")
    assert time.monotonic_ns() - start_ns >= 19_000_000


async def test_tasks_are_served_in_the_order_of_their_coming_whatever_they_ask():
    bucket = TokenBucket(10, 500)
    bucket.allow("k", 10)
    served = []

    async def ask(name, cost):
        await bucket.acquire_async("k", cost)
        served.append(name)

    await asyncio.gather(ask("large", 10), ask("small", 1), ask("middle", 5), ask("last", 1))
    assert served == ["large", "small", "middle", "last"]


async def test_threads_and_tasks_stand_in_one_line():
    bucket = TokenBucket(5, 50)
    bucket.allow("k", 5)
    served = []
    thread = threading.Thread(target=lambda: (bucket.acquire("k", 5), served.append("thread")))
    thread.start()
    # Until the thread has its place, or was even served: the machine may have been busy.
    while bucket.peek("k").reset_after_us < 120_000 and not served:
        await asyncio.sleep(0)
    await bucket.acquire_async("k", 5)
    served.append("task")
    thread.join()
    assert served == ["thread", "task"]


def test_a_wait_beyond_the_deadline_is_refused_at_once(clock):
    bucket = TokenBucket(2, 1, clock_ns=clock)
    bucket.allow("k", 2)
    assert not bucket.acquire("k", 1, timeout_s=0.999)
    assert not bucket.acquire("k", 1, timeout_s=0)
    assert bucket.retry_after("k") == 1.0


async def test_a_task_that_is_cancelled_gives_its_tokens_back(clock):
    bucket = TokenBucket(2, 1, clock_ns=clock)
    bucket.allow("k", 2)
    waiting = asyncio.create_task(bucket.acquire_async("k", 2))
    await asyncio.sleep(0)
    assert bucket.retry_after("k") == 3.0
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert bucket.retry_after("k") == 1.0


async def test_a_task_is_refused_at_once_beyond_its_deadline(clock):
    bucket = TokenBucket(1, 1, clock_ns=clock)
    bucket.allow("k")
    assert not await bucket.acquire_async("k", timeout_s=0.5)


def test_a_thread_that_is_stopped_gives_its_tokens_back(clock):
    bucket = TokenBucket(1, 1, clock_ns=clock)
    bucket.allow("k")
    stop = threading.Event()
    stop.set()
    assert not bucket.acquire("k", stop=stop)
    assert bucket.retry_after("k") == 1.0


def test_a_thread_that_could_be_stopped_waits_its_time():
    bucket = TokenBucket(1, 100)
    bucket.allow("k")
    assert bucket.acquire("k", stop=threading.Event())


def test_a_thread_that_is_interrupted_gives_its_tokens_back(clock):
    class Interrupted(threading.Event):
        def wait(self, timeout=None):
            raise KeyboardInterrupt

    bucket = TokenBucket(1, 1, clock_ns=clock)
    bucket.allow("k")
    with pytest.raises(KeyboardInterrupt):
        bucket.acquire("k", stop=Interrupted())
    assert bucket.retry_after("k") == 1.0


def test_waiting_does_not_help_a_cost_above_the_limit(clock):
    with pytest.raises(LimitExceededError, match="at most 2, asked for 3"):
        TokenBucket(2, 1, clock_ns=clock).acquire("k", 3)


def test_a_deadline_is_no_negative_number(clock):
    with pytest.raises(InvalidInputError, match="timeout_s"):
        TokenBucket(2, 1, clock_ns=clock).acquire("k", 1, timeout_s=-1)


def test_a_key_that_finds_no_room_does_not_wait(clock):
    bucket = TokenBucket(2, 1, max_keys=1, clock_ns=clock)
    bucket.allow("kept")
    assert not bucket.acquire("stranger")


def test_who_waits_is_not_overtaken_by_one_who_does_not(clock):
    bucket = TokenBucket(10, 1, clock_ns=clock)
    bucket.allow("k", 10)
    assert bucket.reserve("k", 10, 10**9) == 10_000_000
    clock.advance(5)
    assert not bucket.allow("k")
    clock.advance(6)
    assert bucket.allow("k")


def test_a_scaled_limit_keeps_the_places_in_the_line(clock):
    bucket = TokenBucket(10, 1, clock_ns=clock)
    bucket.allow("k", 10)
    bucket.reserve("k", 4, 10**9)
    bucket.scale(500)
    # Four owed of ten at one a second are two of five at half a token a second.
    assert bucket.retry_after("k") == 6.0

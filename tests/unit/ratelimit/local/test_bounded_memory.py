"""At most ``max_keys`` are kept, and dropping one never changes an answer."""

import random
import tracemalloc

import pytest

from aetherops import core
from aetherops.ratelimit import FixedWindowLimiter, Reason, SlidingWindowLimiter, TokenBucket


def limiters(max_keys, **options):
    return [
        TokenBucket(5, 100, max_keys=max_keys, **options),
        FixedWindowLimiter(5, 0.05, max_keys=max_keys, **options),
        SlidingWindowLimiter(5, 0.05, 4, max_keys=max_keys, **options),
        SlidingWindowLimiter(5, 0.05, 4, mode="interpolated", max_keys=max_keys, **options),
    ]


@pytest.mark.parametrize("which", range(4))
def test_dropping_idle_keys_changes_no_answer(which):
    rng = random.Random(which)
    small = limiters(60, clock_ns=lambda: 0)[which]
    large = limiters(100_000, clock_ns=lambda: 0)[which]
    now_us = 0
    for _ in range(20_000):
        now_us += rng.choice([0, 100, 3_000, 5_000])
        key, cost = rng.randrange(400), rng.randrange(1, 4)
        assert small.decide(key, cost, now_us) == large.decide(key, cost, now_us)
        if rng.random() < 0.1:
            small.refund(key, cost, now_us)
            large.refund(key, cost, now_us)
    assert len(small) <= 60


def test_a_limited_key_is_not_forgotten_among_many_others(clock):
    bucket = TokenBucket(1, 0.001, max_keys=2_000, clock_ns=clock)
    assert bucket.allow("abuser")
    for i in range(10_000):
        bucket.allow(f"other {i}")
    assert not bucket.allow("abuser")


def test_where_no_key_is_idle_a_new_one_is_refused(clock):
    bucket = TokenBucket(2, 1, max_keys=3, clock_ns=clock)
    assert bucket.allow_many(["a", "b", "c", "d"]) == bytes([1, 1, 1, 0])
    refused = bucket.decide("d")
    assert (refused.allowed, refused.reason, refused.remaining) == (False, Reason.NO_ROOM, 0)
    assert refused.retry_after_s == 1.0
    assert bucket.allow("a")
    assert bucket.decide("d", 3).reason is Reason.TOO_LARGE
    clock.advance(2)
    assert bucket.allow("d")
    assert len(bucket) <= 3


def test_or_new_keys_share_one_overflow(clock):
    bucket = TokenBucket(2, 1, max_keys=1, share_overflow=True, clock_ns=clock)
    assert bucket.allow("kept")
    assert bucket.allow("stranger 1")
    assert bucket.decide("stranger 2").remaining == 0
    assert bucket.decide("stranger 3").reason is Reason.LIMIT
    assert bucket.allow("kept")
    assert bucket.keys() == ["kept"]


def test_refused_keys_take_no_room(clock):
    bucket = TokenBucket(2, 1, clock_ns=clock)
    for i in range(1000):
        bucket.allow(i, 3)
    assert len(bucket) == 0


@pytest.mark.skipif(core.IMPLEMENTATION != "native", reason="the size of the compiled table")
def test_a_key_of_a_bucket_takes_at_most_ninety_bytes():
    keys = [f"client {i}" for i in range(100_000)]
    tracemalloc.start()
    try:
        bucket = TokenBucket(10, 0.001)
        for key in keys:
            bucket.allow(key)
        assert len(bucket) == len(keys)
        assert tracemalloc.get_traced_memory()[0] <= 90 * len(keys)
    finally:
        tracemalloc.stop()

"""Defects that limiters elsewhere have had; each is a test here."""

import time

from aetherops.ratelimit import (
    BucketLimit,
    FixedWindowLimiter,
    Rate,
    SlidingWindowLimiter,
    TokenBucket,
)


def test_a_stale_reading_of_the_clock_does_not_rewind_the_bucket():
    bucket = TokenBucket(1, 1, clock_ns=lambda: 0)
    granted = 0
    for _ in range(5000):
        granted += bucket.allow("k", 1, now_us=10**9)
        granted += bucket.allow("k", 1, now_us=0)
    assert granted == 1


def test_a_wall_clock_that_is_set_back_is_not_even_read(monkeypatch):
    def wall():
        raise AssertionError("the wall clock was read")

    monkeypatch.setattr(time, "time", wall)
    monkeypatch.setattr(time, "time_ns", wall)
    for limiter in (
        TokenBucket(1, 1000),
        FixedWindowLimiter(1, 0.001),
        SlidingWindowLimiter(1, 0.001),
    ):
        assert limiter.allow("k")
        assert limiter.decide("k").retry_after_s <= 0.001


def test_time_that_passes_while_a_bucket_is_full_is_not_credited_later(clock):
    bucket = TokenBucket(10, 1, clock_ns=clock)
    bucket.allow("k", 1)
    clock.advance(1000)
    assert bucket.allow("k", 10)
    assert not bucket.allow("k")


def test_idle_time_of_years_does_not_overflow(clock):
    bucket = TokenBucket(2**40, 10**6, clock_ns=clock)
    bucket.allow("k", 2**40)
    assert bucket.decide("k", 2**40, now_us=2**59).allowed
    assert not bucket.decide("k", 1, now_us=2**59).allowed


def test_rates_above_one_a_microsecond_are_kept(clock):
    bucket = TokenBucket(10**7, 5 * 10**7, clock_ns=clock)
    bucket.allow("k", 10**7)
    clock.advance(0.1)
    assert bucket.peek("k").remaining == 5 * 10**6


def test_a_burst_of_ten_at_a_hundred_a_second_admits_no_thousand(clock):
    bucket = TokenBucket(10, 100, clock_ns=clock)
    assert sum(bucket.allow("k") for _ in range(1000)) == 10


def test_a_refused_request_costs_nothing_and_delays_nothing(clock):
    bucket = TokenBucket(1, 1, clock_ns=clock)
    bucket.allow("k")
    for _ in range(100):
        clock.advance(0.01)
        assert bucket.allow("k") == (bucket.granted_total == 2 and clock.ns >= 6 * 10**9)


def test_a_change_of_limits_refills_nobody(clock):
    bucket = TokenBucket(10, 1, clock_ns=clock)
    bucket.allow("k", 10)
    bucket.change(BucketLimit(10, Rate.of(2)))
    bucket.change(BucketLimit(10, Rate.of(1)))
    assert not bucket.allow("k")


def test_no_thread_is_started_for_sweeping():
    import threading

    before = threading.active_count()
    bucket = TokenBucket(10, 1000, max_keys=100)
    for i in range(10_000):
        bucket.allow(i)
    assert threading.active_count() == before
    assert len(bucket) <= 100

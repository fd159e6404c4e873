"""Limits that change while they are in use: credit is scaled, never refilled."""

import pytest

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import (
    BucketLimit,
    FixedWindowLimiter,
    Rate,
    SlidingWindowLimiter,
    TokenBucket,
    WindowLimit,
    WindowMode,
)


def test_a_bucket_keeps_its_share_when_its_limit_changes(clock):
    bucket = TokenBucket(10, 1, clock_ns=clock)
    bucket.allow("k", 6)
    bucket.change(BucketLimit(100, Rate.of(5)))
    assert bucket.peek("k").remaining == 40
    assert bucket.peek("unseen").remaining == 100
    clock.advance(1)
    assert bucket.peek("k").remaining == 45
    bucket.change(BucketLimit(10, Rate.of(1)))
    assert bucket.peek("k").remaining == 4


def test_an_empty_bucket_stays_empty_through_any_change(clock):
    bucket = TokenBucket(10, 1, clock_ns=clock)
    bucket.allow("k", 10)
    for capacity in (1000, 3, 7, 10):
        bucket.change(BucketLimit(capacity, Rate.of(1)))
        assert bucket.peek("k").remaining == 0


def test_halving_and_restoring_gives_no_credit(clock):
    bucket = TokenBucket(100, 10, clock_ns=clock)
    bucket.allow("k", 30)
    for _ in range(20):
        bucket.scale(500)
        bucket.scale(1000)
    assert 69 <= bucket.peek("k").remaining <= 70
    assert bucket.limits == bucket.nominal_limits == (BucketLimit(100, Rate.of(10)),)


def test_a_scaled_bucket_refills_as_much_slower(clock):
    bucket = TokenBucket(100, 10, clock_ns=clock)
    bucket.allow("k", 100)
    bucket.scale(500)
    assert bucket.limits == (BucketLimit(50, Rate.of(5)),)
    clock.advance(2)
    assert bucket.peek("k").remaining == 10
    bucket.change(BucketLimit(200, Rate.of(20)))
    assert bucket.limits == (BucketLimit(100, Rate.of(10)),)


@pytest.mark.parametrize(
    "window",
    [
        lambda clock: FixedWindowLimiter(10, 1, clock_ns=clock),
        lambda clock: SlidingWindowLimiter(10, 1, clock_ns=clock),
        lambda clock: SlidingWindowLimiter(10, 1, mode="interpolated", clock_ns=clock),
    ],
)
def test_a_window_keeps_what_it_counted(window, clock):
    limiter = window(clock)
    limiter.allow("k", 8)
    limiter.scale(500)
    assert limiter.peek("k").remaining == 0
    assert not limiter.allow("k")
    limiter.scale(1000)
    assert limiter.peek("k").remaining == 2
    [limit] = limiter.nominal_limits
    limiter.change(WindowLimit(20, limit.window_us, limit.mode, limit.window_count))
    assert limiter.peek("k").remaining == 12


def test_another_kind_of_limit_is_refused(clock):
    bucket = TokenBucket(10, 1, clock_ns=clock)
    for limits in ([], [WindowLimit(1, 1)], [BucketLimit(1, Rate.of(1))] * 2):
        with pytest.raises(InvalidInputError, match="limits"):
            bucket.change(*limits)
    with pytest.raises(InvalidInputError, match="limits"):
        SlidingWindowLimiter(10, 1).change(WindowLimit(10, 2_000_000))
    with pytest.raises(InvalidInputError, match="limits"):
        FixedWindowLimiter(10, 1).change(WindowLimit(10, 10**6, WindowMode.STRICT))


def test_a_factor_that_cannot_be_counted_changes_nothing(clock):
    bucket = TokenBucket(2**39, 1, clock_ns=clock)
    bucket.allow("k", 2**38)
    for factor in (0, 999):
        with pytest.raises(InvalidInputError):
            bucket.scale(factor)
    assert bucket.limits == bucket.nominal_limits
    assert bucket.peek("k").remaining == 2**38

"""The token bucket, against an oracle of exact fractions and against its own promises."""

from fractions import Fraction

import pytest
from hypothesis import given, settings, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import BucketLimit, Rate, Reason, TokenBucket


def test_a_burst_passes_and_what_follows_is_held_to_the_rate(clock):
    bucket = TokenBucket(burst_capacity=5, refill_rate=2, clock_ns=clock)
    assert [bucket.allow("agent") for _ in range(6)] == [True] * 5 + [False]
    clock.advance(0.499_999)
    assert not bucket.allow("agent")
    clock.advance(0.000_001)
    assert bucket.allow("agent")
    assert not bucket.allow("agent")
    clock.advance(60)
    assert [bucket.allow("agent") for _ in range(6)] == [True] * 5 + [False]


def test_keys_do_not_touch_each_other(clock):
    bucket = TokenBucket(1, 1, clock_ns=clock)
    assert bucket.allow("a")
    assert bucket.allow("b")
    assert bucket.allow(7)
    assert not bucket.allow("a")


def test_a_decision_tells_what_remains_and_when_to_come_again(clock):
    bucket = TokenBucket(10, 4, clock_ns=clock)
    assert bucket.decide("k", 7) == (True, 10, 3, 0, 1_750_000, Reason.GRANTED)
    refused = bucket.decide("k", 5)
    assert refused == (False, 10, 3, 500_000, 1_750_000, Reason.LIMIT)
    assert not refused
    assert refused.retry_after_s == 0.5
    assert refused.reset_after_s == 1.75
    clock.advance(0.5)
    assert bucket.decide("k", 5)


def test_a_cost_above_the_capacity_is_never_granted(clock):
    bucket = TokenBucket(10, 4, clock_ns=clock)
    decision = bucket.decide("k", 11)
    assert decision == (False, 10, 10, None, 0, Reason.TOO_LARGE)
    assert decision.retry_after_s is None
    assert bucket.retry_after("k", 11) is None
    assert "k" not in bucket
    assert bucket.allow("k", 3)
    assert not bucket.allow("k", 11)
    assert bucket.peek("k", 11).reason is Reason.TOO_LARGE


def test_peek_and_retry_after_take_nothing(clock):
    bucket = TokenBucket(2, 1, clock_ns=clock)
    assert bucket.peek("k").remaining == 2
    assert bucket.retry_after("k") == 0.0
    assert bucket.allow("k", 2)
    assert bucket.retry_after("k") == 1.0
    assert bucket.peek("k") == bucket.peek("k")
    later_us = clock.ns // 1000 + 10**6
    assert bucket.peek("k", now_us=later_us).allowed
    assert not bucket.allow("k")


def test_a_refund_gives_back_but_never_beyond_full(clock):
    bucket = TokenBucket(4, 1, clock_ns=clock)
    bucket.allow("k", 4)
    bucket.refund("k", 3)
    assert bucket.peek("k").remaining == 3
    bucket.refund("k", 100)
    assert bucket.peek("k").remaining == 4
    bucket.refund("unknown", 2)
    assert bucket.peek("unknown").remaining == 4


def test_reset_forgets_a_key(clock):
    bucket = TokenBucket(1, 1, clock_ns=clock)
    bucket.allow("k")
    bucket.reset("k")
    bucket.reset("unknown")
    assert bucket.allow("k")


def test_clear_forgets_all_keys(clock):
    bucket = TokenBucket(1, 1, clock_ns=clock)
    bucket.allow("a")
    bucket.allow("b")
    bucket.clear()
    assert len(bucket) == 0
    assert bucket.allow("a")


def test_several_limits_take_all_or_nothing(clock):
    bucket = TokenBucket(5, 5, also=[BucketLimit(8, Rate.of("8/hour"))], clock_ns=clock)
    assert bucket.decide("k", 5).limit == 5
    clock.advance(1)
    decision = bucket.decide("k", 3)
    assert (decision.allowed, decision.limit, decision.remaining) == (True, 8, 0)
    refused = bucket.decide("k", 1)
    assert (refused.limit, refused.retry_after_s) == (8, 449.0)
    assert bucket.peek("k", 6).reason is Reason.TOO_LARGE
    clock.advance(449)
    # What the hourly limit refused was not taken from the other either.
    assert bucket.decide("k", 1) == (True, 8, 0, 0, 3_600_000_000, Reason.GRANTED)


def test_a_batch_is_decided_in_order(clock):
    bucket = TokenBucket(3, 1, clock_ns=clock)
    assert bucket.allow_many(["a", "b", "a", "a", "a", 5]) == bytes([1, 1, 1, 1, 0, 1])
    assert bucket.allow_many(["c", "c", "c"], [2, 2, 1]) == bytes([1, 0, 1])
    assert bucket.allow_many([]) == b""


def test_fifty_a_minute_polled_each_second_is_admitted_in_full():
    bucket = TokenBucket(10, "50/min", clock_ns=lambda: 0)
    granted = sum(bucket.allow("k", 1, now_us=second * 10**6) for second in range(3600))
    assert granted == 10 + 50 * 60 - 1  # its due after the last second is not whole yet


@given(
    burst=st.integers(1, 50),
    rate=st.fractions(min_value=Fraction(1, 100), max_value=1000, max_denominator=100),
    steps=st.lists(st.tuples(st.integers(0, 2_000_000), st.integers(1, 20)), max_size=60),
)
def test_decisions_are_those_of_exact_fractions(burst, rate, steps):
    bucket = TokenBucket(burst, rate, clock_ns=lambda: 0)
    tokens, now_us, last_us = Fraction(burst), 0, 0
    for wait_us, cost in steps:
        now_us += wait_us
        full = min(Fraction(burst), tokens + rate * (now_us - last_us) / 10**6)
        decision = bucket.decide("k", cost, now_us)
        assert decision.allowed == (full >= cost)
        if decision.allowed:
            tokens, last_us = full - cost, now_us
            assert decision.remaining == tokens // 1
            full = tokens
        elif cost <= burst:
            assert decision.retry_after_us == -((full - cost) * 10**6 // rate)
        else:
            assert decision.retry_after_us is None
        assert decision.reset_after_us == -((full - burst) * 10**6 // rate)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-(10**6), 10**6), st.integers(1, 5)), max_size=200))
def test_no_clock_however_it_jumps_grants_more_than_burst_and_rate(steps):
    bucket = TokenBucket(7, 3, clock_ns=lambda: 0)
    now_us = 10**9
    seen_us, granted = [now_us], 0
    for jump_us, cost in steps:
        now_us += jump_us
        seen_us.append(now_us)
        granted += cost * bucket.allow("k", cost, now_us)
    assert granted <= 7 + 3 * (max(seen_us) - min(seen_us)) / 10**6


@pytest.mark.parametrize(
    ("burst", "rate"),
    [(0, 1), (-1, 1), (2.5, 1), (1, 0), (1, -1), (1, float("inf")), (2**60, 1), (1, "often")],
)
def test_limits_that_cannot_be_counted_are_refused_at_construction(burst, rate):
    with pytest.raises(InvalidInputError):
        TokenBucket(burst, rate)


def test_the_largest_limit_still_counts_exactly(clock):
    bucket = TokenBucket(2**40, 1, clock_ns=clock)
    assert bucket.decide("k", 2**40) == (True, 2**40, 0, 0, 2**40 * 10**6, Reason.GRANTED)
    clock.advance(1)
    assert bucket.decide("k").remaining == 0

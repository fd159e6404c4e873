"""A shared limiter with and without its store."""

import pytest

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import (
    BucketLimit,
    FixedWindowLimiter,
    Rate,
    Reason,
    SlidingWindowLimiter,
    TokenBucket,
    WindowLimit,
    WindowMode,
)
from aetherops.ratelimit.shared.failure import FailurePolicy, store_breaker
from aetherops.ratelimit.shared.limiter import SharedLimiter, local_limiter


class NoBreaker:
    """Lets every call through."""

    def call_async(self, function, /, *args, **kwargs):
        return function(*args, **kwargs)


async def test_decisions_are_the_stores(store):
    limiter = SharedLimiter(store)
    assert await limiter.allow("k", 60)
    assert await limiter.decide("k", 30) == (True, 100, 10, 0, 9_000_000, Reason.GRANTED)
    assert await limiter.decide("k", 20) == (False, 100, 10, 1_000_000, 9_000_000, Reason.LIMIT)
    assert (await limiter.decide("k", 101)).reason is Reason.TOO_LARGE
    assert (await limiter.peek("k", 10)).allowed
    assert not (await limiter.peek("k", 11)).allowed
    assert await limiter.usage("k") == 0.9
    await limiter.refund("k", 40)
    assert (await limiter.peek("k")).remaining == 50
    assert limiter.fallback_total == 0


async def test_many_are_decided_at_once(store):
    limiter = SharedLimiter(store)
    decisions = await limiter.decide_many(["a", "b", "a"], [70, 5, 70])
    assert [d.allowed for d in decisions] == [True, True, False]
    assert all(d.allowed for d in await limiter.decide_many(["c", "d"]))
    with pytest.raises(InvalidInputError, match="costs"):
        await limiter.decide_many(["a", "b"], [1])


async def test_without_the_store_this_process_decides_over_its_share(store):
    store.failing = True
    limiter = SharedLimiter(store, replicas=4)
    decisions = [await limiter.decide("k") for _ in range(26)]
    assert [d.allowed for d in decisions] == [True] * 25 + [False]
    assert {d.reason for d in decisions} == {Reason.LOCAL_GRANTED, Reason.LOCAL_LIMIT}
    assert await limiter.allow("other") is True
    assert limiter.fallback_total == 27
    # The breaker opened at the first question; the keys are this process's now.
    assert limiter.figures() == (2, (FailurePolicy.LOCAL, 27, 1))
    assert (await limiter.peek("k")).remaining == 0
    await limiter.refund("k", 3)
    assert (await limiter.peek("k")).remaining == 3


@pytest.mark.parametrize(
    ("policy", "allowed", "reason"),
    [
        (FailurePolicy.FAIL_OPEN, True, Reason.FAIL_OPEN),
        (FailurePolicy.FAIL_CLOSED, False, Reason.FAIL_CLOSED),
    ],
)
async def test_or_it_fails_open_or_closed_and_says_so(store, policy, allowed, reason):
    store.failing = True
    limiter = SharedLimiter(store, on_failure=policy)
    for _ in range(200):
        decision = await limiter.decide("k")
        assert (decision.allowed, decision.reason) == (allowed, reason)
    assert limiter.fallback_total == 200


async def test_a_store_that_failed_is_left_alone_and_tried_again(store, clock):
    breaker = store_breaker("store")
    limiter = SharedLimiter(store, breaker=breaker)
    store.failing = True
    for _ in range(50):
        await limiter.decide("k")
    assert store.round_trips == 1
    store.failing = False
    breaker.reset()
    assert (await limiter.decide("k")).reason is Reason.GRANTED


async def test_limits_change_in_the_store_and_in_the_local_share(store):
    limiter = SharedLimiter(store, replicas=2, breaker=NoBreaker())
    limiter.change(BucketLimit(40, Rate.of(4)))
    assert limiter.limits == (BucketLimit(40, Rate.of(4)),)
    assert (await limiter.decide("k", 40)).allowed
    limiter.scale(500)
    assert limiter.limits == (BucketLimit(20, Rate.of(2)),)
    limiter.scale(1000)
    assert limiter.limits == (BucketLimit(40, Rate.of(4)),)
    store.failing = True
    assert (await limiter.decide("other", 20)).allowed
    assert not (await limiter.decide("other", 1)).allowed


async def test_errors_that_are_no_outage_are_not_hidden(store):
    limiter = SharedLimiter(store, breaker=NoBreaker())
    with pytest.raises(InvalidInputError, match="cost"):
        await limiter.decide("k", 0)
    with pytest.raises(InvalidInputError, match="replicas"):
        SharedLimiter(store, replicas=0)
    assert store.round_trips == 0


def test_the_local_limiter_is_of_the_limits_kind():
    assert isinstance(local_limiter([BucketLimit(5, Rate.of(1))] * 2), TokenBucket)
    assert isinstance(
        local_limiter([WindowLimit(5, 10**6, WindowMode.FIXED, 1)]), FixedWindowLimiter
    )
    strict = local_limiter([WindowLimit(5, 10**6, WindowMode.STRICT, 4)])
    assert isinstance(strict, SlidingWindowLimiter)
    assert strict.limits == (WindowLimit(5, 10**6, WindowMode.STRICT, 4),)


@pytest.mark.parametrize(
    "limits", [[], [WindowLimit(1, 1)] * 2, [BucketLimit(1, Rate.of(1)), WindowLimit(1, 1)]]
)
def test_limits_of_mixed_kinds_are_refused(limits):
    with pytest.raises(InvalidInputError, match="limits"):
        local_limiter(limits)


async def test_a_key_may_be_an_integer(store):
    limiter = SharedLimiter(store)
    assert await limiter.allow(7, 60)
    assert (await limiter.decide(7, 40)).remaining == 0
    assert not await limiter.allow(7)

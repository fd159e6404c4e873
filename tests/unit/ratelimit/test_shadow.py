from aetherops.ratelimit import Reason, TokenBucket
from aetherops.ratelimit.ports import LocalAsAsync
from aetherops.ratelimit.shadow import AsyncShadowLimiter, ShadowLimiter


def test_a_shadow_decides_and_counts_and_refuses_nothing(clock):
    bucket = TokenBucket(2, 1, clock_ns=clock)
    shadow = ShadowLimiter(bucket)
    assert [shadow.allow("k") for _ in range(5)] == [True] * 5
    assert shadow.shadowed_total == 3
    decision = shadow.decide("k")
    assert (decision.allowed, decision.reason, decision.retry_after_s) == (
        True,
        Reason.SHADOWED,
        1.0,
    )
    shadow.refund("k", 2)
    assert shadow.decide("k").reason is Reason.GRANTED
    assert len(shadow) == 1


async def test_an_asynchronous_limiter_has_its_shadow_too(clock):
    bucket = TokenBucket(2, 1, clock_ns=clock)
    shadow = AsyncShadowLimiter(LocalAsAsync(bucket))
    assert await shadow.allow("k", 2)
    decisions = await shadow.decide_many(["k", "other"])
    assert [d.reason for d in decisions] == [Reason.SHADOWED, Reason.GRANTED]
    assert (await shadow.decide("k")).reason is Reason.SHADOWED
    assert shadow.shadowed_total == 2
    await shadow.refund("k", 2)
    assert bucket.peek("k").remaining == 2
    assert shadow.figures() == (2, None)


async def test_a_local_limiter_stands_where_an_asynchronous_one_is_asked_for(clock):
    limiter = LocalAsAsync(TokenBucket(3, 1, clock_ns=clock))
    decisions = await limiter.decide_many(["a", "a", "b"], [2, 2, 3])
    assert [d.allowed for d in decisions] == [True, False, True]
    await limiter.refund("a", 1)
    assert (await limiter.decide("a", 2)).allowed

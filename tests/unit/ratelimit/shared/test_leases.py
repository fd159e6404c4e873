"""Leases decide most requests here, and never more than the store granted."""

import asyncio

import pytest

from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.ratelimit import BucketLimit, Rate, Reason
from aetherops.ratelimit.shared import leases
from aetherops.ratelimit.shared.failure import FailurePolicy
from aetherops.ratelimit.shared.leases import LeasedLimiter, LeasePolicy


def leased(store, clock, size=10, **options):
    options.setdefault("lease", LeasePolicy(size=size, ttl_s=1))
    return LeasedLimiter(store, clock_ns=clock, **options)


async def settled(limiter):
    """Wait for refills that run in the background."""
    for lease in limiter._leases.values():
        if lease.refill is not None:
            await asyncio.wait([lease.refill])


async def started(limiter):
    """The only lease, once its refill is under way."""
    while not limiter._leases:
        await asyncio.sleep(0)
    [lease] = limiter._leases.values()
    return lease


async def test_many_decisions_cost_few_round_trips_and_no_token_is_granted_twice(store, clock):
    limiter = leased(store, clock)
    granted = sum([await limiter.allow("k") for _ in range(150)])
    assert granted == sum(store.drawn) == 100
    assert store.round_trips < 80
    assert sum(store.drawn[:5]) > 30


async def test_leases_shrink_near_the_limit(store, clock):
    limiter = leased(store, clock, size=50)
    while await limiter.allow("k"):
        pass
    drawn = [tokens for tokens in store.drawn if tokens]
    assert drawn[0] == 50
    assert drawn[-1] == 1
    assert drawn == sorted(drawn, reverse=True)


async def test_a_refusal_is_remembered_until_tokens_come(store, clock):
    limiter = leased(store, clock)
    while await limiter.allow("k"):
        pass
    trips = store.round_trips
    refused = await limiter.decide("k")
    assert (refused.allowed, refused.retry_after_us, refused.reason) == (
        False,
        100_000,
        Reason.LIMIT,
    )
    assert not await limiter.allow("k", 2)
    assert store.round_trips == trips
    clock.advance(0.1)
    assert await limiter.allow("k")
    assert store.round_trips > trips


async def test_a_lower_cost_than_the_refused_one_is_asked_for(store, clock):
    limiter = leased(store, clock)
    store.limiter.allow("k", 98)
    assert not await limiter.allow("k", 3)
    assert await limiter.allow("k", 2)


async def test_unspent_tokens_are_dropped_after_their_time(store, clock):
    limiter = leased(store, clock)
    assert await limiter.allow("k")
    await settled(limiter)
    trips = store.round_trips
    clock.advance(1.1)
    assert await limiter.allow("k")
    assert store.round_trips > trips


async def test_decisions_tell_what_this_process_still_holds(store, clock):
    limiter = leased(store, clock)
    decision = await limiter.decide("k", 2)
    assert (decision.allowed, decision.limit, decision.remaining) == (True, 100, 8)
    assert (await limiter.decide("k", 2)).remaining == 6


async def test_costs_that_no_lease_holds_are_the_stores_to_decide(store, clock):
    limiter = leased(store, clock)
    assert (await limiter.decide("k", 60)).remaining == 40
    assert not await limiter.allow("k", 60)
    assert (await limiter.decide("k", 101)).reason is Reason.TOO_LARGE


async def test_a_cost_that_is_never_granted_is_told_so(store, clock):
    limiter = leased(store, clock, size=500)
    assert (await limiter.decide("k", 101)).reason is Reason.TOO_LARGE


async def test_tasks_that_wait_for_a_lease_share_one_round_trip(store, clock):
    limiter = leased(store, clock, size=20)
    assert all(await asyncio.gather(*(limiter.allow("k") for _ in range(10))))
    assert store.drawn[0] == 20
    assert store.round_trips <= 2


async def test_a_cancelled_caller_loses_no_lease(store, clock):
    limiter = leased(store, clock)
    store.gate = asyncio.Event()
    caller = asyncio.create_task(limiter.allow("k"))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    store.gate.set()
    await settled(limiter)
    assert (await limiter.decide("k")).remaining == 9
    assert sum(store.drawn) == 10


async def test_those_who_wait_for_a_lease_are_served_as_they_came_as_far_as_it_goes(store, clock):
    limiter = leased(store, clock, size=10)
    served = []

    async def call(cost):
        assert await limiter.allow("k", cost)
        served.append(cost)

    await asyncio.gather(*(call(cost) for cost in (4, 3, 2, 1)))
    # As many fours as a lease may hold are eight: the two has to wait for the next one.
    assert store.drawn[0] == 8
    assert served == [4, 3, 1, 2]


async def test_a_store_that_refused_is_not_asked_ahead_until_tokens_come(store, clock):
    limiter = leased(store, clock)
    store.limiter.allow("k", 92)
    for _ in range(8):
        assert await limiter.allow("k")
        await settled(limiter)
    trips = store.round_trips
    assert store.drawn[-1] == 0
    assert not await limiter.allow("k")
    assert store.round_trips == trips


@pytest.mark.parametrize("failing", [False, True])
async def test_a_caller_cancelled_between_its_grant_and_its_turn_takes_nothing(
    store, clock, failing
):
    limiter = leased(store, clock)
    first, second = (asyncio.create_task(limiter.allow("k")) for _ in range(2))
    store.failing = failing
    lease = await started(limiter)
    lease.refill.add_done_callback(lambda _: second.cancel())
    await asyncio.wait([first, second])
    assert second.cancelled()
    assert first.result()
    assert lease.left == (0 if failing else 9)


async def test_those_who_wait_when_the_store_fails_are_told_at_once(store, clock):
    limiter = leased(store, clock, on_failure="fail_closed")
    assert await limiter.allow("k", 3)
    await settled(limiter)
    clock.advance(2)
    store.failing = True
    trips = store.round_trips
    assert await asyncio.gather(*(limiter.allow("k") for _ in range(8))) == [False] * 8
    assert store.round_trips == trips + 1
    assert limiter.fallback_total == 8


async def test_without_the_store_the_lease_is_spent_and_then_the_local_share(store, clock):
    limiter = leased(store, clock)
    assert await limiter.allow("k", 5)
    await settled(limiter)
    store.failing = True
    reasons = [(await limiter.decide("k")).reason for _ in range(30)]
    assert reasons[0] is Reason.GRANTED
    assert reasons[-1] is Reason.LOCAL_GRANTED
    assert limiter.fallback_total > 0


async def test_a_refill_in_the_background_that_fails_harms_nobody(store, clock):
    limiter = leased(store, clock)
    assert await limiter.allow("k")
    store.failing = True
    assert await limiter.allow("k", 5)
    [lease] = limiter._leases.values()
    with pytest.raises(UnavailableError):
        await lease.refill
    assert limiter.figures() == (1, (FailurePolicy.LOCAL, 0, 1))


async def test_leases_are_bounded_and_idle_ones_make_room(store, clock):
    limiter = leased(store, clock, lease=LeasePolicy(size=10, ttl_s=1, max_keys=2))
    for key in ("a", "b", "c"):
        assert await limiter.allow(key)
        await settled(limiter)
    assert list(limiter._leases) == ["a", "b"]
    clock.advance(2)
    assert await limiter.allow("d")
    assert "d" in limiter._leases
    assert len(limiter._leases) <= 2


async def test_closing_gives_unspent_tokens_back(store, clock):
    limiter = leased(store, clock)
    assert await limiter.allow("k", 3)
    assert await limiter.allow("k", 3)
    assert await limiter.allow("idle")
    await settled(limiter)
    await limiter.aclose()
    assert store.limiter.peek("k").remaining == 94
    clock.advance(0)
    assert store.limiter.peek("idle").remaining == 99


async def test_closing_gives_nothing_back_that_has_expired(store, clock):
    limiter = leased(store, clock)
    assert await limiter.allow("k")
    clock.advance(1.5)
    await limiter.aclose()
    assert store.limiter.peek("k").remaining == 100  # refilled by time, not by a refund


async def test_closing_waits_for_a_refill_that_is_under_way(store, clock):
    limiter = leased(store, clock)
    assert await limiter.allow("k", 1)
    assert await limiter.allow("k", 7)
    await limiter.aclose()
    assert store.limiter.peek("k").remaining == 92


async def test_a_change_of_limits_reaches_the_store(store, clock):
    limiter = leased(store, clock)
    limiter.change(BucketLimit(10, Rate.of(1)))
    assert sum([await limiter.allow("k") for _ in range(30)]) == 10


async def test_what_is_no_key_or_cost_is_refused(store, clock):
    limiter = leased(store, clock)
    assert await limiter.allow("k")
    for key, cost in (("k", 1.5), ("k", 0), (None, 1)):
        with pytest.raises(InvalidInputError):
            await limiter.allow(key, cost)


@pytest.mark.parametrize("bad", [{"size": 0}, {"ttl_s": 0}, {"max_keys": -1}])
def test_a_lease_is_of_something_for_some_time(bad):
    with pytest.raises(InvalidInputError):
        LeasePolicy(**bad)


async def test_what_nobody_foresaw_and_nobody_waited_for_is_not_lost():
    refill = asyncio.get_running_loop().create_future()
    refill.set_exception(RuntimeError("nobody foresaw this"))
    with pytest.raises(RuntimeError, match="foresaw"):
        leases._Lease().answer(refill)

import pytest

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import TokenBucket
from aetherops.ratelimit.load.adaptive import AdaptiveLimits
from aetherops.ratelimit.load.controller import LoadReading, LoadReason

S = 1_000_000


def test_limiters_follow_and_listeners_hear_each_change(clock):
    agents = TokenBucket(100, 10, clock_ns=clock)
    uploads = TokenBucket(10, 1, clock_ns=clock)
    limits = AdaptiveLimits([agents, uploads])
    heard = []
    limits.subscribe(heard.append)
    change = limits.observe(LoadReading(1 * S, 0.9), 1 * S)
    assert heard == [change]
    assert (change.before_permille, change.after_permille) == (1000, 500)
    assert change.reason is LoadReason.OVERLOAD
    assert limits.factor_permille == 500
    assert agents.limits[0].burst_capacity == 50
    assert uploads.limits[0].burst_capacity == 5
    assert limits.observe(LoadReading(2 * S, 0.6), 2 * S) is None
    assert len(heard) == 1


def test_a_listener_that_raises_is_counted_and_harms_nobody(clock):
    limits = AdaptiveLimits([TokenBucket(100, 10, clock_ns=clock)])
    heard = []

    def broken(change):
        raise RuntimeError

    limits.subscribe(broken)
    limits.subscribe(heard.append)
    limits.observe(LoadReading(1 * S, 0.9), 1 * S)
    assert limits.listener_errors == 1
    assert len(heard) == 1


def test_a_limiter_without_room_for_scaled_limits_is_refused_at_once(clock):
    with pytest.raises(InvalidInputError, match="burst_capacity"):
        AdaptiveLimits([TokenBucket(2**39, 1, clock_ns=clock)])

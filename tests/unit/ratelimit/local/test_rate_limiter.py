import pytest

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import FixedWindowLimiter, RateLimiter, SlidingWindowLimiter, TokenBucket


@pytest.mark.parametrize(
    "strategy", ["fixed_window", "sliding_window", "sliding_window_strict", "token_bucket"]
)
def test_the_first_requests_are_allowed_and_the_next_refused(strategy, clock):
    limiter = RateLimiter(3, 60, strategy=strategy, clock_ns=clock)
    assert [limiter.allow("c") for _ in range(5)] == [True, True, True, False, False]
    assert limiter.allow("other")
    limiter.reset("c")
    assert limiter.allow("c")


def test_usage_is_the_share_of_the_limit(clock):
    limiter = RateLimiter(3, clock_ns=clock)
    assert limiter.usage("c") == 0.0
    limiter.allow("c")
    assert limiter.usage("c") == 0.3333
    limiter.allow("c")
    limiter.allow("c")
    limiter.allow("c")
    assert limiter.usage("c") == 1.0


def test_a_window_is_a_minute_unless_told(clock):
    limiter = RateLimiter(1, clock_ns=clock)
    assert limiter.allow("c")
    clock.advance(59.9)
    assert not limiter.allow("c")
    clock.advance(0.1)
    assert limiter.allow("c")


def test_the_strategy_names_its_limiter():
    assert isinstance(RateLimiter(3).limiter, FixedWindowLimiter)
    assert isinstance(RateLimiter(3, strategy="sliding_window").limiter, SlidingWindowLimiter)
    assert isinstance(RateLimiter(3, strategy="token_bucket").limiter, TokenBucket)


@pytest.mark.parametrize("arguments", [(0,), (3, 0), (3, -1), (3, 60, "leaky")])
def test_what_is_no_limit_is_refused(arguments):
    with pytest.raises(InvalidInputError):
        RateLimiter(*arguments)

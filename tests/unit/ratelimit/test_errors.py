from aetherops.ratelimit import TokenBucket
from aetherops.ratelimit.errors import RateLimitedError


def test_a_refusal_tells_when_to_come_again(clock):
    bucket = TokenBucket(2, 4, clock_ns=clock)
    bucket.allow("k", 2)
    error = RateLimitedError("ingest", bucket.decide("k", 2))
    assert error.retry_after_s == 1
    assert str(error) == "rate limit 'ingest': try again in 1 s"


def test_or_that_it_is_too_much_for_ever(clock):
    error = RateLimitedError("ingest", TokenBucket(2000, 4, clock_ns=clock).decide("k", 2001))
    assert error.retry_after_s is None
    assert str(error) == "rate limit 'ingest': at most 2,000 at once"

"""The clock that limiters read where they are given none is the machine's monotonic one."""

import time

from aetherops.ratelimit import TokenBucket

CAPACITY = 10**12
TRUST_US = 1_100  # the compiled core may run ahead of the system's clock for a millisecond


def now_us():
    return time.monotonic_ns() // 1000


def test_it_keeps_step_with_the_machines_and_never_goes_back():
    bucket = TokenBucket(CAPACITY, 10**6)  # a token a microsecond: what has come back is time
    before_us = now_us()
    assert bucket.allow("k", CAPACITY)
    after_us = now_us()
    last = 0
    while (read_us := now_us()) < before_us + 300_000:
        elapsed = bucket.peek("k").remaining
        assert read_us - after_us - TRUST_US <= elapsed <= now_us() - before_us + TRUST_US
        assert elapsed >= last
        last = elapsed


def test_it_catches_up_after_a_pause():
    bucket = TokenBucket(CAPACITY, 10**6)
    bucket.allow("k", CAPACITY)
    after_us = now_us()
    for _ in range(5):
        time.sleep(0.02)
        read_us = now_us()
        assert bucket.peek("k").remaining >= read_us - after_us - TRUST_US


def test_an_instant_that_is_given_is_on_the_same_clock():
    bucket = TokenBucket(10, 1)
    assert bucket.allow("k", 10)
    assert not bucket.allow("k", 1, now_us=now_us())
    assert bucket.peek("k", 10, now_us=now_us() + 10_100_000).allowed

"""The breaker's first interface behaves as its callers know it."""

from __future__ import annotations

import pytest

from aetherops.resilience import CircuitBreaker, State

from .conftest import ManualClock

pytestmark = pytest.mark.usefixtures("twin")


def test_it_opens_exactly_at_the_threshold() -> None:
    breaker = CircuitBreaker()
    assert [breaker.record_failure() for _ in range(5)] == ["closed"] * 4 + ["open"]
    assert breaker.failure_count == 5
    assert (breaker.failure_threshold, breaker.reset_timeout_s) == (5, 30)


def test_a_success_closes_it_and_clears_the_count() -> None:
    breaker = CircuitBreaker(failure_threshold=2)
    breaker.record_failure()
    assert breaker.record_success() == "closed"
    assert breaker.failure_count == 0
    for _ in range(3):
        breaker.record_failure()
    assert breaker.failure_count == 3
    assert breaker.record_success() == "closed"
    assert (breaker.failure_count, breaker.allow_request()) == (0, True)


def test_an_open_one_allows_no_request_until_its_time_has_come(clock: ManualClock) -> None:
    breaker = CircuitBreaker(1, 30, clock=clock)
    breaker.record_failure()
    assert not breaker.allow_request()
    clock.pass_s(30)
    assert breaker.allow_request()
    assert breaker.state == "half-open"


def test_half_open_moves_an_open_breaker_and_no_other() -> None:
    breaker = CircuitBreaker(1)
    assert breaker.half_open() is State.CLOSED
    breaker.record_failure()
    assert breaker.half_open() is State.HALF_OPEN
    assert breaker.half_open() is State.HALF_OPEN


def test_in_half_open_one_request_decides() -> None:
    breaker = CircuitBreaker(2)
    for outcome, state in ((breaker.record_failure, "open"), (breaker.record_success, "closed")):
        breaker.record_failure()
        breaker.record_failure()
        breaker.half_open()
        assert [breaker.allow_request(), breaker.allow_request()] == [True, False]
        assert outcome() == state

"""Retries around a breaker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aetherops.errors import InvalidInputError
from aetherops.resilience import Breaker, BreakerOpenError, BreakerPolicy, Retry, State

from .conftest import ManualClock

pytestmark = pytest.mark.usefixtures("twin")


class Backend:
    """Answers after some failures."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    def answer(self, value: int = 1) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionError
        return value

    async def answer_async(self, value: int = 1) -> int:
        return self.answer(value)


@pytest.fixture
def waits_s() -> list[float]:
    return []


@pytest.fixture
def retry(waits_s: list[float]) -> Callable[..., Retry]:
    async def sleep_async(seconds: float) -> None:
        waits_s.append(seconds)

    def make(**rules: Any) -> Retry:
        return Retry(**{"jitter": 0.0, **rules}, sleep=waits_s.append, sleep_async=sleep_async)

    return make


async def test_it_tries_again_with_doubling_waits(
    retry: Callable[..., Retry], waits_s: list[float]
) -> None:
    assert retry(attempts=4).call(Backend(3).answer, 7) == 7
    assert await retry(attempts=4).call_async(Backend(3).answer_async, value=7) == 7
    assert waits_s == [0.08, 0.16, 0.32] * 2


async def test_the_last_attempts_error_reaches_the_caller(retry: Callable[..., Retry]) -> None:
    backend = Backend(10)
    with pytest.raises(ConnectionError):
        retry(attempts=3).call(backend.answer)
    with pytest.raises(ConnectionError):
        await retry(attempts=3).call_async(backend.answer_async)
    assert backend.calls == 6


async def test_other_errors_are_not_tried_again(
    retry: Callable[..., Retry], waits_s: list[float]
) -> None:
    with pytest.raises(ConnectionError):
        retry(on=(TimeoutError,)).call(Backend(1).answer)
    with pytest.raises(ConnectionError):
        await retry(on=(TimeoutError,)).call_async(Backend(1).answer_async)
    assert waits_s == []


async def test_an_open_breaker_ends_the_attempts(
    retry: Callable[..., Retry], waits_s: list[float], clock: ManualClock
) -> None:
    breaker = Breaker("link", BreakerPolicy(failure_threshold=2), clock=clock)
    backend = Backend(10)
    with pytest.raises(BreakerOpenError):
        retry(attempts=9).call(breaker(backend.answer))
    with pytest.raises(BreakerOpenError):
        await retry(attempts=9).call_async(breaker(backend.answer_async))
    assert (backend.calls, len(waits_s), breaker.state) == (2, 2, State.OPEN)


def test_jitter_only_shortens_a_wait(retry: Callable[..., Retry]) -> None:
    waits = retry(attempts=4, jitter=0.5, random=lambda: 0.5).waits_s()
    assert list(waits) == [0.06, 0.12, 0.24]


async def test_unless_told_otherwise_it_really_sleeps() -> None:
    retry = Retry(attempts=2, base_ms=1)
    assert retry.call(Backend(1).answer, 7) == 7
    assert await retry.call_async(Backend(1).answer_async, 7) == 7


@pytest.mark.parametrize(
    "rules", [{"attempts": 0}, {"jitter": 1.5}, {"base_ms": -1}, {"patience_s": -1.0}]
)
def test_rules_out_of_range_are_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        Retry(**rules)


class SlowClock:
    """Stands still except while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class BusyError(Exception):
    """Asks to be left alone for a while."""

    def __init__(self, wait_s: float | None) -> None:
        self.wait_s = wait_s


def refusing(*waits_s: float | None) -> Callable[[], str]:
    """Refuses once for each wait that it asks for, then answers."""
    errors = [BusyError(wait_s) for wait_s in waits_s]

    def ask() -> str:
        if errors:
            raise errors.pop(0)
        return "done"

    return ask


def test_without_a_number_of_attempts_it_goes_on(
    retry: Callable[..., Retry], waits_s: list[float]
) -> None:
    assert retry(attempts=None, base_ms=1, cap_ms=4).call(Backend(100).answer, 7) == 7
    assert waits_s == [0.001, 0.002, *[0.004] * 98]


def test_no_attempt_begins_after_patience_has_ended() -> None:
    clock, backend = SlowClock(), Backend(10)
    retry = Retry(
        attempts=None, patience_s=1.0, base_ms=400, jitter=0.0, clock=clock, sleep=clock.sleep
    )
    with pytest.raises(ConnectionError):
        retry.call(backend.answer)
    assert (backend.calls, clock.now_s) == (2, 0.4)


def test_an_error_may_ask_for_its_own_wait_which_is_never_cut_short(
    retry: Callable[..., Retry], waits_s: list[float]
) -> None:
    asked = retry(jitter=0.25, random=lambda: 0.4, asked_s=lambda error: error.wait_s)
    assert asked.call(refusing(1.0, None)) == "done"
    assert waits_s == [1.1, 160 * 0.9 / 1000]


def test_an_error_that_asks_for_more_than_there_is_patience_is_the_last() -> None:
    clock = SlowClock()
    retry = Retry(
        patience_s=30.0, clock=clock, sleep=clock.sleep, asked_s=lambda error: error.wait_s
    )
    with pytest.raises(BusyError):
        retry.call(refusing(31.0))
    assert clock.now_s == 0.0

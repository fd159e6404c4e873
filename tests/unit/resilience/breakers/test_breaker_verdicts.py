"""Guarded calls judged by a detector, and answered by a fallback."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aetherops.resilience import (
    Breaker,
    BreakerPolicy,
    Outcome,
    State,
    Verdict,
    exceptions,
    failure_when,
    with_fallback,
)

from .conftest import ManualClock

pytestmark = pytest.mark.usefixtures("twin")


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    return Breaker("link", BreakerPolicy(failure_threshold=2), clock=clock)


def fail(*_: object) -> Any:
    raise ConnectionError("no answer")


async def answer(value: object) -> object:
    await asyncio.sleep(0)
    return value


class TestDetectors:
    """What a detector is asked, and what follows."""

    def test_it_sees_result_error_and_duration(self, clock: ManualClock) -> None:
        seen: list[Outcome] = []

        def note(outcome: Outcome) -> Verdict:
            seen.append(outcome)
            return Verdict.SUCCESS

        breaker = Breaker("seen", detector=note, clock=clock)
        breaker.call(clock.pass_s, 1.5)
        with pytest.raises(ConnectionError):
            breaker.call(fail)
        assert seen[0] == Outcome(None, None, 1.5)
        assert isinstance(seen[1].error, ConnectionError)
        assert breaker.snapshot().totals.success == 2

    async def test_coroutines_are_judged_by_their_results(self, clock: ManualClock) -> None:
        detector = failure_when(lambda outcome: outcome.result == "bad")
        breaker = Breaker("judged", detector=detector, clock=clock)
        assert await breaker(answer)("bad") == "bad"
        assert await breaker(answer)("good") == "good"
        totals = breaker.snapshot().totals
        assert (totals.failure, totals.success) == (1, 1)

    async def test_a_detector_that_fails_is_heard_and_keeps_no_permit(
        self, clock: ManualClock
    ) -> None:
        def broken(outcome: Outcome) -> Verdict:
            raise LookupError("detector")

        breaker = Breaker("broken", detector=broken, clock=clock)
        breaker.trip()
        breaker.probe()
        for _ in range(3):
            with pytest.raises(LookupError):
                breaker.call(lambda: 1)
            with pytest.raises(LookupError):
                breaker.call(fail)
            with pytest.raises(LookupError):
                await breaker(answer)(1)
        assert breaker.snapshot().totals.neutral == 9
        assert breaker.state is State.HALF_OPEN

    def test_a_verdict_that_is_none_is_refused(self, clock: ManualClock) -> None:
        breaker = Breaker("odd", detector=lambda _: None, clock=clock)  # type: ignore[arg-type, return-value]
        with pytest.raises(ValueError):
            breaker.call(lambda: 1)

    def test_excluded_errors_are_neutral_and_others_count_as_answers(
        self, clock: ManualClock
    ) -> None:
        detector = exceptions(ConnectionError, exclude=[ConnectionResetError])
        breaker = Breaker("chosen", detector=detector, clock=clock)
        for error in (ConnectionError, ConnectionResetError, ValueError):

            def raise_it(error: type[Exception] = error) -> None:
                raise error

            with pytest.raises(error):
                breaker.call(raise_it)
        totals = breaker.snapshot().totals
        assert (totals.failure, totals.neutral, totals.success) == (1, 1, 1)


class TestFallbacks:
    """Another answer where a call fails."""

    def test_it_answers_for_an_open_breaker_with_the_error_and_the_arguments(
        self, breaker: Breaker
    ) -> None:
        @breaker.with_fallback(lambda error, key: (error.dependency, key))
        def fetch(key: str) -> Any:
            return key.upper()

        assert fetch("a") == "A"
        breaker.trip()
        assert fetch("a") == ("link", "a")

    def test_other_errors_reach_the_caller_unless_they_are_named(self, breaker: Breaker) -> None:
        with pytest.raises(ConnectionError):
            breaker.with_fallback(lambda error: 1)(fail)()
        assert breaker.with_fallback(lambda error: 1, on=(ConnectionError,))(fail)() == 1

    @pytest.mark.parametrize("fallback", [lambda error, value: -value, None])
    async def test_coroutine_functions_have_fallbacks_of_either_kind(
        self, breaker: Breaker, fallback: Any
    ) -> None:
        async def negative(error: Exception, value: int) -> int:
            return -value

        guarded = breaker.with_fallback(fallback or negative)(answer)
        assert await guarded(3) == 3
        breaker.trip()
        assert await guarded(3) == -3

    def test_a_fallback_needs_no_breaker(self) -> None:
        assert with_fallback(fail, lambda error: str(error), on=(OSError,))() == "no answer"

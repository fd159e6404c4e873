"""Guarded calls: decorator, context manager and call, for functions and coroutine functions."""

from __future__ import annotations

import asyncio
import collections.abc
import gc
import inspect
import pickle
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest

from aetherops.errors import InvalidInputError
from aetherops.resilience import (
    Breaker,
    BreakerOpenError,
    BreakerPolicy,
    State,
    failure_when,
)

from .conftest import ManualClock

pytestmark = pytest.mark.usefixtures("twin")


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    """Opens at the second failure in a row, probes after 30 s."""
    return Breaker("link", BreakerPolicy(failure_threshold=2), clock=clock)


def fail(*_: object, **__: object) -> Any:
    raise ConnectionError("no answer")


async def fail_async(*_: object, **__: object) -> Any:
    await asyncio.sleep(0)
    raise ConnectionError("no answer")


async def answer(value: object, *, after: int = 1) -> object:
    """The value, after some turns of the loop."""
    for _ in range(after):
        await asyncio.sleep(0)
    return value


async def never() -> None:
    await asyncio.Event().wait()


class TestFunctions:
    """Plain functions."""

    def test_arguments_and_the_result_pass_unchanged(self, breaker: Breaker) -> None:
        @breaker
        def together(*args: int, **named: int) -> tuple[Any, ...]:
            return args, named

        assert together(1, 2, three=3) == ((1, 2), {"three": 3})
        assert together() == ((), {})
        assert breaker.call(together, 4, function=5) == ((4,), {"function": 5})
        assert breaker.snapshot().totals.success == 4, "the third was counted by both its guards"

    def test_an_error_passes_unchanged_and_is_counted(self, breaker: Breaker) -> None:
        guarded = breaker(fail)
        for _ in range(2):
            with pytest.raises(ConnectionError, match="no answer"):
                guarded()
        with pytest.raises(BreakerOpenError):
            guarded()
        assert (breaker.snapshot().totals.failure, breaker.snapshot().totals.refused) == (2, 1)

    def test_a_refused_call_is_not_made(self, breaker: Breaker) -> None:
        calls: list[int] = []
        breaker.trip()
        for call in (breaker(calls.append), partial(breaker.call, calls.append)):
            with pytest.raises(BreakerOpenError):
                call(1)
        assert calls == []

    def test_it_stays_the_function_that_it_guards(self, breaker: Breaker) -> None:
        @breaker
        def measure(altitude_km: float) -> float:
            """Some measure."""
            return altitude_km

        assert measure.__name__ == "measure"
        assert measure.__doc__ == "Some measure."
        assert list(inspect.signature(measure).parameters) == ["altitude_km"]
        assert callable(measure)
        assert "measure" in repr(measure)
        assert not inspect.iscoroutinefunction(measure)

    def test_a_guarded_method_is_bound_to_its_instance(self, breaker: Breaker) -> None:
        class Antenna:
            gain = 3

            @breaker
            def amplified(self, signal: int) -> int:
                return self.gain * signal

        antenna = Antenna()
        assert antenna.amplified(2) == 6
        assert Antenna.amplified(antenna, signal=2) == 6

    def test_a_guarded_function_is_pickled_by_its_name(self) -> None:
        assert pickle.loads(pickle.dumps(guarded_by_module)) is guarded_by_module

    @pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
    def test_an_exit_is_neutral(self, breaker: Breaker, stop: type[BaseException]) -> None:
        def leave() -> None:
            raise stop

        for call in (breaker(leave), partial(breaker.call, leave)):
            with pytest.raises(stop):
                call()
        assert breaker.snapshot().totals.neutral == 2
        assert breaker.state is State.CLOSED

    def test_calls_nest(self, breaker: Breaker) -> None:
        assert breaker.call(breaker.call, breaker.call, answer_now) == 1
        assert breaker.snapshot().totals.success == 3

    def test_a_generator_function_is_refused(self, breaker: Breaker) -> None:
        def numbers() -> Iterator[int]:
            yield 1

        async def later() -> AsyncIterator[int]:
            yield 1

        for function in (numbers, later):
            with pytest.raises(InvalidInputError):
                breaker(function)

    def test_a_coroutine_is_no_result(self, breaker: Breaker) -> None:
        for call in (partial(breaker.call, answer, 1), breaker(lambda: answer(1))):
            with pytest.raises(InvalidInputError):
                call()
        assert breaker.snapshot().totals.neutral == 2

    def test_a_wall_clock_that_is_set_back_does_not_keep_it_open(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        breaker = Breaker("default clock", BreakerPolicy(reset_timeout_s=1e-9))
        breaker.trip()
        for name in ("time", "time_ns"):
            monkeypatch.setattr(time, name, lambda: 0)
        assert breaker.call(answer_now) == 1
        assert breaker.state is State.CLOSED


class TestCoroutineFunctions:
    """Coroutine functions."""

    async def test_arguments_and_the_result_pass_unchanged(self, breaker: Breaker) -> None:
        guarded = breaker(answer)
        stop = StopIteration(3)
        for value in (None, 7, (1, 2), (), stop, ValueError("a value")):
            assert await guarded(value) is value
            assert await guarded(value, after=0) is value
            assert await breaker.call_async(answer, value, after=2) is value
        assert breaker.snapshot().totals.success == 18

    async def test_an_error_passes_unchanged_and_is_counted(self, breaker: Breaker) -> None:
        for call in (breaker(fail_async), partial(breaker.call_async, fail_async)):
            with pytest.raises(ConnectionError, match="no answer"):
                await call()
        with pytest.raises(BreakerOpenError):
            await breaker(fail_async)()
        assert breaker.snapshot().totals.failure == 2

    async def test_the_permit_is_taken_when_it_runs_not_when_it_is_called(
        self, breaker: Breaker
    ) -> None:
        waiting = breaker(answer)(1)
        breaker.trip()
        with pytest.raises(BreakerOpenError):
            await waiting

    async def test_one_that_is_never_awaited_holds_no_permit(self, breaker: Breaker) -> None:
        forgotten = breaker(answer)(1)
        forgotten.close()
        assert breaker.snapshot().totals == breaker.machine.snapshot(0).totals
        assert breaker.snapshot().totals.neutral == 0

    async def test_cancellation_is_neutral_and_gives_a_probes_permit_back(
        self, breaker: Breaker
    ) -> None:
        breaker.trip()
        breaker.probe()
        probe = asyncio.create_task(breaker(never)())
        await asyncio.sleep(0)
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        assert breaker.state is State.HALF_OPEN
        assert await breaker(answer)(1) == 1
        assert breaker.state is State.CLOSED

    async def test_cancellations_do_not_clear_the_count_of_failures(self, breaker: Breaker) -> None:
        with pytest.raises(ConnectionError):
            await breaker(fail_async)()
        cancelled = asyncio.create_task(breaker(never)())
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        with pytest.raises(ConnectionError):
            await breaker(fail_async)()
        assert breaker.state is State.OPEN

    async def test_a_timeout_inside_counts_and_one_around_is_a_cancellation(
        self, breaker: Breaker
    ) -> None:
        @breaker
        async def bounded() -> None:
            async with asyncio.timeout(0):
                await never()

        with pytest.raises(TimeoutError):
            await bounded()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await breaker(never)()
        totals = breaker.snapshot().totals
        assert (totals.failure, totals.neutral) == (1, 1)

    async def test_what_a_coroutine_makes_of_its_cancellation_counts(
        self, breaker: Breaker
    ) -> None:
        @breaker
        async def stubborn(error: Exception | None) -> str:
            try:
                await never()
            except asyncio.CancelledError:
                if error is not None:
                    raise error from None
            return "kept on"

        tasks = [asyncio.create_task(stubborn(error)) for error in (None, ValueError())]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        assert await tasks[0] == "kept on"
        with pytest.raises(ValueError):
            await tasks[1]
        totals = breaker.snapshot().totals
        assert (totals.success, totals.failure, totals.neutral) == (1, 1, 0)

    async def test_one_that_is_dropped_while_it_waits_gives_its_permit_back(
        self, breaker: Breaker
    ) -> None:
        dropped = breaker(answer)(1)
        dropped.send(None)
        del dropped
        gc.collect()
        assert breaker.snapshot().totals.neutral == 1

    def test_closing_it_is_neutral(self, breaker: Breaker) -> None:
        running = breaker(answer)(1)
        running.send(None)
        running.close()
        running.close()
        totals = breaker.snapshot().totals
        assert (totals.neutral, totals.success) == (1, 0)

    def test_an_error_while_closing_counts(self, breaker: Breaker) -> None:
        @breaker
        async def clumsy() -> None:
            try:
                await asyncio.sleep(0)
            finally:
                fail()

        running = clumsy()
        running.send(None)
        with pytest.raises(ConnectionError):
            running.close()
        assert breaker.snapshot().totals.failure == 1

    def test_an_error_thrown_before_the_first_step_is_not_counted(self, breaker: Breaker) -> None:
        waiting = breaker(answer)(1)
        with pytest.raises(ValueError):
            waiting.throw(ValueError())
        assert breaker.snapshot().totals.failure == 0

    def test_driven_by_hand_it_behaves_as_a_coroutine(self, breaker: Breaker) -> None:
        running = breaker(answer)("done")
        assert isinstance(running, collections.abc.Coroutine)
        assert running.__name__.startswith(("answer", "guarded"))
        assert "answer" in running.__qualname__ + repr(running)
        assert running.send(None) is None
        with pytest.raises(StopIteration) as stop:
            running.send(None)
        assert stop.value.value == "done"
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            running.send(None)

    async def test_it_runs_as_a_task_and_is_a_coroutine_function(self, breaker: Breaker) -> None:
        guarded = breaker(answer)
        assert inspect.iscoroutinefunction(guarded)
        assert await asyncio.create_task(guarded(1)) == 1
        assert await asyncio.gather(guarded(1), guarded(2, after=3)) == [1, 2]
        assert await asyncio.wait_for(breaker.call_async(answer, 1), 10) == 1

    async def test_guards_nest(self, clock: ManualClock, breaker: Breaker) -> None:
        outer = Breaker("outer", clock=clock)
        assert await outer(breaker(answer))(1) == 1
        assert await outer.call_async(breaker(answer), 1) == 1
        assert outer.snapshot().totals == breaker.snapshot().totals

    async def test_anything_awaitable_may_be_guarded(self, breaker: Breaker) -> None:
        future = asyncio.get_running_loop().create_future()
        future.set_result(5)
        assert await breaker.call_async(lambda: future) == 5
        with pytest.raises(TypeError):
            await breaker.call_async(lambda: 5)  # type: ignore[arg-type, return-value]
        breaker.trip()
        with pytest.raises(BreakerOpenError):
            await breaker.call_async(lambda: future)

    async def test_a_guarded_method_is_bound_to_its_instance(self, breaker: Breaker) -> None:
        class Antenna:
            gain = 3

            @breaker
            async def amplified(self, signal: int) -> int:
                return self.gain * signal

        assert await Antenna().amplified(2) == 6
        assert await Antenna.amplified(Antenna(), 2) == 6
        assert pickle.loads(pickle.dumps(guarded_coroutine_by_module)) is (
            guarded_coroutine_by_module
        )
        assert "Antenna" in repr(Antenna.amplified)


class TestBlocks:
    """with and async with."""

    def test_a_block_is_one_call(self, breaker: Breaker) -> None:
        with breaker.guard():
            pass
        with pytest.raises(ConnectionError), breaker.guard():
            fail()
        with pytest.raises(KeyboardInterrupt), breaker.guard():
            raise KeyboardInterrupt
        totals = breaker.snapshot().totals
        assert (totals.success, totals.failure, totals.neutral) == (1, 1, 1)

    async def test_async_with_is_one_call_too(self, breaker: Breaker) -> None:
        async with breaker.guard():
            await answer(1)
        with pytest.raises(ConnectionError):
            async with breaker.guard():
                await fail_async()
        breaker.trip()
        with pytest.raises(BreakerOpenError):
            async with breaker.guard():
                raise AssertionError("not entered")

    def test_a_block_is_used_once(self, breaker: Breaker) -> None:
        block = breaker.guard()
        with block, pytest.raises(InvalidInputError):
            block.__enter__()

    def test_the_detector_judges_the_result_that_a_block_names(self, clock: ManualClock) -> None:
        breaker = Breaker(
            "http",
            BreakerPolicy(failure_threshold=1),
            detector=failure_when(lambda outcome: outcome.result == 503),
            clock=clock,
        )
        with breaker.guard() as call:
            call.result = 503
        assert breaker.state is State.OPEN


def answer_now() -> int:
    return 1


module_breaker = Breaker("module")


@module_breaker
def guarded_by_module() -> int:
    return 1


@module_breaker
async def guarded_coroutine_by_module() -> int:
    return 1


async def test_what_is_awaited_but_no_coroutine_is_left_alone_by_a_refusal(twin):
    breaker = Breaker("archive")
    breaker.trip()
    future = asyncio.get_running_loop().create_future()
    with pytest.raises(BreakerOpenError):
        await breaker._guard.drive(future)
    assert not future.done()

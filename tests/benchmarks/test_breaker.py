"""What a guarded call costs over the bare call, beside other breakers where they are installed.

``python tests/benchmarks/test_breaker.py`` prints the figures; as a test it holds the ratios.
All features of this breaker are on: time window, both rates, backoff, jitter, probes.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import pytest

from aetherops.core import IMPLEMENTATION
from aetherops.resilience import Breaker, BreakerOpenError, BreakerPolicy, TimeWindow

pytestmark = pytest.mark.alone

CALLS = 5_000
ROUNDS = 60
# How many times less than each peer's a guarded call's overhead is at least.
GOALS = {
    "function": {"circuitbreaker": 8.0, "purgatory": 13.0, "pybreaker": 20.0},
    "coroutine function": {"circuitbreaker": 3.5, "purgatory": 7.0, "aiobreaker": 7.0},
}

ALL_FEATURES = BreakerPolicy(
    failure_threshold=5,
    failure_rate=0.5,
    slow_call_rate=0.5,
    slow_call_s=1.0,
    window=TimeWindow(60, 10),
    backoff_factor=2,
    jitter=0.2,
    success_threshold=2,
    probe_count=3,
)


def bare(value: int) -> int:
    return value


async def bare_async(value: int) -> int:
    return value


def guarded(peer: str) -> Callable[[int], int]:
    """The bare function behind a breaker."""
    if peer == "circuitbreaker":
        import circuitbreaker

        return circuitbreaker.CircuitBreaker(name="function")(bare)
    if peer == "pybreaker":
        import pybreaker

        return pybreaker.CircuitBreaker()(bare)
    if peer == "purgatory":
        import purgatory

        return purgatory.SyncCircuitBreakerFactory()("function")(bare)
    return Breaker("function", ALL_FEATURES)(bare)


def guarded_async(peer: str) -> Callable[[int], Awaitable[int]]:
    """The bare coroutine function behind a breaker."""
    if peer == "circuitbreaker":
        import circuitbreaker

        return circuitbreaker.CircuitBreaker(name="coroutine function")(bare_async)
    if peer == "purgatory":
        import purgatory

        return purgatory.AsyncCircuitBreakerFactory()("coroutine function")(bare_async)
    if peer == "aiobreaker":
        import aiobreaker

        return aiobreaker.CircuitBreaker()(bare_async)
    return Breaker("coroutine function", ALL_FEATURES)(bare_async)


def call_ns(function: Callable[[int], object]) -> float:
    turns = range(CALLS)
    start_ns = time.perf_counter_ns()
    for turn in turns:
        function(turn)
    return (time.perf_counter_ns() - start_ns) / CALLS


async def await_ns(function: Callable[[int], Awaitable[object]]) -> float:
    turns = range(CALLS)
    start_ns = time.perf_counter_ns()
    for turn in turns:
        await function(turn)
    return (time.perf_counter_ns() - start_ns) / CALLS


def overheads_ns() -> dict[str, float]:
    """Nanoseconds over the bare call, the least of interleaved rounds."""
    functions = {"bare": bare, "aetherops": guarded("aetherops")}
    functions |= {peer: guarded(peer) for peer in installed("function")}
    best = dict.fromkeys(functions, float("inf"))
    with undisturbed():
        for _ in range(ROUNDS):
            for name, function in functions.items():
                best[name] = min(best[name], call_ns(function))
    bare_ns = best.pop("bare")
    return {name: least - bare_ns for name, least in best.items()}


async def overheads_async_ns() -> dict[str, float]:
    """As :func:`overheads_ns`, awaited."""
    functions: dict[str, Any] = {"bare": bare_async, "aetherops": guarded_async("aetherops")}
    functions |= {peer: guarded_async(peer) for peer in installed("coroutine function")}
    best = dict.fromkeys(functions, float("inf"))
    with undisturbed():
        for _ in range(ROUNDS):
            for name, function in functions.items():
                best[name] = min(best[name], await await_ns(function))
    bare_ns = best.pop("bare")
    return {name: least - bare_ns for name, least in best.items()}


def refusal_ns() -> float:
    """Nanoseconds of a call that an open breaker refuses, its error caught."""
    breaker = Breaker("open", ALL_FEATURES)
    breaker.trip()
    refused = breaker(bare)

    def call(value: int) -> None:
        try:
            refused(value)
        except BreakerOpenError:
            return

    with undisturbed():
        return min(call_ns(call) for _ in range(ROUNDS))


@contextmanager
def undisturbed() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def installed(kind: str) -> list[str]:
    return [peer for peer in GOALS[kind] if find_spec(peer) is not None]


def check(kind: str, overheads: dict[str, float]) -> None:
    for peer in installed(kind):
        ratio = overheads[peer] / overheads["aetherops"]
        assert ratio >= GOALS[kind][peer], f"{kind}, {peer}: {ratio:.1f} times"


@pytest.mark.skipif(IMPLEMENTATION == "pure", reason="the goals are the compiled core's")
class TestOverheads:
    """The overhead is a small share of any other breaker's."""

    @pytest.mark.skipif(not installed("function"), reason="no other breaker is installed")
    def test_of_a_function(self) -> None:
        check("function", overheads_ns())

    @pytest.mark.skipif(not installed("coroutine function"), reason="no other is installed")
    async def test_of_a_coroutine_function(self) -> None:
        check("coroutine function", await overheads_async_ns())


def test_a_guarded_function(benchmark: Any) -> None:
    assert benchmark(guarded("aetherops"), 1) == 1


def test_a_refusal(benchmark: Any) -> None:
    breaker = Breaker("open", ALL_FEATURES)
    breaker.trip()
    refused = breaker(bare)

    def call() -> bool:
        try:
            refused(1)
        except BreakerOpenError:
            return True
        return False

    assert benchmark(call)


def main() -> None:
    """Print the figures."""
    for kind, overheads in (
        ("function", overheads_ns()),
        ("coroutine function", asyncio.run(overheads_async_ns())),
    ):
        for name, overhead_ns in overheads.items():
            ratio = overhead_ns / overheads["aetherops"]
            sys.stdout.write(f"{kind:20}{name:16}{overhead_ns:8.0f} ns{ratio:8.1f} x\n")
    sys.stdout.write(f"refused call: {refusal_ns():.0f} ns ({IMPLEMENTATION} core)\n")


if __name__ == "__main__":
    main()

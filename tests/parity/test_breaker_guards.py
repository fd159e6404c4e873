"""The compiled guards keep no reference that they were given, however a call ends."""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from aetherops.resilience import Breaker, BreakerOpenError, BreakerPolicy, exceptions

guards = pytest.importorskip("aetherops.core._native.resilience.guards")

TURNS = 300
SENTINEL = object()
ERROR = ConnectionError("kept once")
TUPLE = (SENTINEL,)
NEVER_OPEN = BreakerPolicy(failure_threshold=None)


def give(value: object, *, error: Exception | None = None) -> object:
    if error is not None:
        raise error
    return value


async def give_async(value: object, *, error: Exception | None = None) -> object:
    await asyncio.sleep(0)
    return give(value, error=error)


async def wait(value: object) -> None:
    await asyncio.Event().wait()


def classified(outcome: Any) -> Any:
    raise LookupError(outcome)


@pytest.fixture
def breaker() -> Breaker:
    return Breaker("leaks", NEVER_OPEN)


def references() -> tuple[int, ...]:
    gc.collect()
    return tuple(sys.getrefcount(thing) for thing in (SENTINEL, ERROR, TUPLE, None))[:3]


def swallow(call: Callable[[], object]) -> None:
    try:
        call()
    except (ConnectionError, BreakerOpenError, LookupError, TypeError):
        ERROR.__traceback__ = None


ENDINGS: dict[str, Callable[[Any, Any], object]] = {
    "returns": lambda guarded, _: guarded(SENTINEL),
    "raises": lambda guarded, _: guarded(SENTINEL, error=ERROR),
    "wrong arguments": lambda guarded, _: guarded(SENTINEL, SENTINEL, SENTINEL),
    "never awaited, closed": lambda _, guarded_async: guarded_async(SENTINEL).close(),
    "dropped while it waits": lambda _, guarded_async: guarded_async(SENTINEL).send(None),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_plain_calls_leak_nothing(breaker: Breaker, name: str) -> None:
    guarded, guarded_async = breaker(give), breaker(give_async)
    for with_call in (guarded, partial(breaker.call, give)):
        swallow(partial(ENDINGS[name], with_call, guarded_async))
        before = references()
        for _ in range(TURNS):
            swallow(partial(ENDINGS[name], with_call, guarded_async))
        assert references() == before


def test_refused_and_misclassified_calls_leak_nothing() -> None:
    refused, misclassified = (
        Breaker("refused"),
        Breaker("misclassified", NEVER_OPEN, detector=classified),
    )
    refused.trip()
    for breaker in (refused, misclassified):
        guarded = breaker(give)
        before = references()
        for _ in range(TURNS):
            swallow(partial(guarded, SENTINEL))
            swallow(partial(guarded, SENTINEL, error=ERROR))
        assert references() == before


@pytest.mark.parametrize("result", [SENTINEL, TUPLE, ERROR, None])
@pytest.mark.parametrize("error", [None, ERROR])
async def test_awaited_calls_leak_nothing(
    breaker: Breaker, result: object, error: Exception | None
) -> None:
    guarded = breaker(give_async)

    async def call() -> None:
        try:
            assert await guarded(result, error=error) is result
        except ConnectionError:
            ERROR.__traceback__ = None
        task = asyncio.create_task(breaker(wait)(result))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await call()
    before = references()
    for _ in range(TURNS):
        await call()
    assert references() == before


def test_breakers_and_what_they_guard_are_collected() -> None:
    def make() -> None:
        breaker = Breaker("cycle", detector=exceptions(OSError))
        breaker.subscribe(lambda event: breaker.reset())
        guarded = breaker(lambda: guarded)
        guarded()

    make()
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(50):
            make()
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(200):
            make()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000, "a breaker is a few kilobytes; 200 were made"

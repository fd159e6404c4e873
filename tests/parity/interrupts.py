"""Runs one kernel while a signal handler raises inside it, over and over; prints what broke.

Its own process, so that a kernel that hangs is ended by a timeout. The twin is chosen by
AETHEROPS_KERNELS.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from types import FrameType
from typing import Any

from aetherops.core import (
    BreakerKernel,
    BucketCounters,
    CountOutcomes,
    FixedCounters,
    SlidingCounters,
    TimeOutcomes,
)
from aetherops.resilience import Breaker, BreakerOpenError, BreakerPolicy, CountWindow
from aetherops.resilience.breakers.states import encode_transitions

STORM_S = 0.4
PERIOD_S = 0.0003
CAPACITY = 2**40
RESET = 9

rng = random.Random(7)


class Interrupted(BaseException):
    """What the handler raises, as Ctrl-C would KeyboardInterrupt."""


def storm(act: Callable[[], object]) -> int:
    """Act over and over, each time until it is done or interrupted; how often it was."""

    def handle(_: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code is act.__code__:
                raise Interrupted
            frame = frame.f_back

    interrupted = 0
    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, PERIOD_S, PERIOD_S)
    end = time.monotonic() + STORM_S
    while time.monotonic() < end:
        try:
            act()
        except Interrupted:
            interrupted += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    return interrupted


def in_a_thread(call: Callable[[], object]) -> object:
    """Its answer in another thread, which must come."""
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(call()), daemon=True)
    thread.start()
    thread.join(5)
    assert answers, "no answer in another thread"
    return answers[0]


class Clock:
    """Monotonic nanoseconds that pass when told; Python code, so signals are seen inside."""

    def __init__(self) -> None:
        self.now_ns = 10**12

    def __call__(self) -> int:
        return self.now_ns


COUNTERS: dict[str, Callable[[Clock], Any]] = {
    "bucket": lambda clock: BucketCounters([(1, 1, CAPACITY)], 50, False, clock),
    "buckets": lambda clock: BucketCounters(
        [(1, 1, CAPACITY), (2, 3, 3 * CAPACITY)], 50, True, clock
    ),
    "fixed": lambda clock: FixedCounters(CAPACITY, 10**9, 50, False, clock),
    "interpolated": lambda clock: SlidingCounters(CAPACITY, 10**6, 4, False, 50, False, clock),
    "strict": lambda clock: SlidingCounters(CAPACITY, 10**6, 8, True, 50, False, clock),
}


def decide_on_one_key(make: Callable[[Clock], Any]) -> Iterator[int]:
    """What a key has used is what was granted, one for one."""
    counters = make(Clock())

    def act() -> None:
        for _ in range(200):
            counters.allow("k")
            counters.admit("k")

    yield storm(act)
    left = counters.inspect("k")[2]
    assert CAPACITY - left == counters.granted_total, (CAPACITY - left, counters.granted_total)


def change_everything(make: Callable[[Clock], Any]) -> Iterator[int]:
    """Keys come and go, limits change, states are loaded: the table stays whole."""
    clock = Clock()
    counters = make(clock)
    kept = counters.dump()
    change = counters.set_limit if hasattr(counters, "set_limit") else None
    tiers = None if change else counters.tiers

    def act() -> None:
        nonlocal kept
        for _ in range(100):
            key = f"client {rng.randrange(70)}"
            counters.admit(key, rng.randrange(1, 1000))
            counters.refund(key, rng.randrange(1, 1000))
            counters.reset(f"client {rng.randrange(70)}")
            clock.now_ns += rng.randrange(10**6)
            if change:
                change(rng.choice([CAPACITY, CAPACITY // 2]))
            else:
                counters.set_tiers([(g, p, c // rng.choice([1, 2])) for g, p, c in tiers])
                counters.reserve(key, rng.randrange(1, 1000), 10**6)
        counters.allow_many([f"client {i}" for i in range(40)], 3)
        kept = counters.dump()
        counters.load(*kept) if rng.random() < 0.8 else counters.clear()

    yield storm(act)
    keys = counters.keys()
    assert len(set(keys)) == len(keys) == len(counters), "keys"
    assert all(key in counters for key in keys), "a key without its entry"
    assert len(counters.remainders()[1]) == len(keys), "remainders"
    fresh = make(clock)
    if not change:
        fresh.set_tiers(counters.tiers)
    fresh.load(*counters.dump())
    for i in range(70):
        counters.allow(f"new {i}")
        counters.reset(f"new {i}")
    counters.clear()
    assert len(counters) == len(counters.keys()) == 0, "not empty"


def run_counters(name: str) -> Iterator[int]:
    make = COUNTERS[name]
    for trial in (decide_on_one_key, change_everything):
        yield from trial(make)
    counters = make(Clock())
    yield storm(lambda: [counters.allow("k") for _ in range(200)])
    assert counters.allow("k")
    assert in_a_thread(lambda: counters.allow("k"))


def a_kernel(window: Any) -> BreakerKernel:
    return BreakerKernel(encode_transitions(), window, 5, 0.5, 0.5, 50, 10, 2, 1, 1000, 500)


def run_kernel(window: Any) -> Iterator[int]:
    kernel = a_kernel(window)
    now_ns = 10**6

    def act() -> None:
        nonlocal now_ns
        for _ in range(100):
            now_ns += rng.randrange(100)
            permit = kernel.acquire(now_ns)
            if permit >= 0:
                kernel.settle(permit, now_ns, rng.randrange(3), now_ns + rng.randrange(70))
            kernel.move(rng.randrange(7, 14), now_ns)
            kernel.read(now_ns)
            while kernel.take_move():
                pass

    yield storm(act)
    rows = kernel.rows(now_ns)
    totals = [window.calls, window.failures, window.slow]
    assert [sum(column) for column in zip(*rows, strict=True)] == totals or not rows, "totals"
    while kernel.take_move():
        pass
    assert not kernel.moved, "a transition that nobody can take"
    assert 0 <= kernel.probes_left <= 2, kernel.probes_left
    assert (kernel.state == 0) == (kernel.due_ns == 0), (kernel.state, kernel.due_ns)
    kernel.move(RESET, now_ns)
    assert in_a_thread(lambda: kernel.acquire(now_ns)) == kernel.generation
    for _ in range(5):
        kernel.settle(kernel.generation, now_ns, 1, now_ns)
    assert kernel.acquire(now_ns) == -1, "does not open"
    now_ns += 10**6
    assert kernel.acquire(now_ns) == kernel.generation, "does not probe"
    kernel.settle(kernel.generation, now_ns, 0, now_ns)
    assert kernel.state == 0, "does not close"


def run_guards() -> Iterator[int]:
    policy = BreakerPolicy(failure_threshold=3, reset_timeout_s=1e-6, window=CountWindow(20))
    ticks = count(10**12, 1000)
    breaker = Breaker("storm", policy, clock=lambda: next(ticks))
    heard: list[object] = []
    breaker.subscribe(lambda event: heard.append(event))

    def sometimes() -> None:
        if rng.random() < 0.5:
            raise ConnectionError

    async def sometimes_async() -> None:
        await asyncio.sleep(0)
        sometimes()

    guarded, guarded_async = breaker(sometimes), breaker(sometimes_async)

    def run_once() -> None:
        coroutine = guarded_async()
        coroutine.send(None)
        coroutine.send(None)

    def guard_once() -> None:
        with breaker.guard():
            sometimes()

    def act() -> None:
        for call in 20 * [guarded, run_once, guard_once, lambda: breaker.call(sometimes)]:
            with suppress(ConnectionError, StopIteration, BreakerOpenError):
                call()

    yield storm(act)
    breaker.reset()
    heard.clear()
    breaker.trip()
    assert heard, "listeners are told no more"
    breaker.reset()
    assert breaker.call(lambda: 7) == 7
    assert in_a_thread(lambda: breaker.call(lambda: 8)) == 8


def main(name: str) -> None:
    if name in COUNTERS:
        trials = run_counters(name)
    elif name == "guards":
        trials = run_guards()
    else:
        trials = run_kernel(CountOutcomes(50) if name == "kernel, calls" else TimeOutcomes(50, 7))
    interrupted = sum(trials)
    assert interrupted > 50, f"only {interrupted} interruptions"
    sys.stdout.write(f"{interrupted} interruptions\n")


if __name__ == "__main__":
    main(sys.argv[1])

"""Many callers at once: probes are reserved, counts are exact, transitions are told in order."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from aetherops.resilience import (
    Breaker,
    BreakerOpenError,
    BreakerPolicy,
    BreakerRegistry,
    CountWindow,
    State,
    TransitionEvent,
)

from .conftest import ManualClock

pytestmark = pytest.mark.usefixtures("twin")

CALLERS = 500


@pytest.mark.parametrize("probe_count", [1, 5])
def test_of_500_threads_exactly_the_probes_reach_the_backend(
    clock: ManualClock, probe_count: int
) -> None:
    breaker = half_open(clock, probe_count)
    reached, decided = Counter[str](), threading.Event()
    start = threading.Barrier(CALLERS)

    @breaker
    def backend() -> None:
        reached["backend"] += 1
        decided.wait(30)

    def caller() -> str:
        start.wait(30)
        try:
            backend()
        except BreakerOpenError:
            return "refused"
        return "answered"

    with ThreadPoolExecutor(CALLERS) as callers:
        pending = [callers.submit(caller) for _ in range(CALLERS)]
        # Every caller but the probes is refused while these still wait.
        while breaker.snapshot().totals.refused < CALLERS - probe_count:
            decided.wait(0.001)
        assert reached["backend"] == probe_count
        decided.set()
        answers = Counter(caller.result() for caller in pending)
    assert answers == {"answered": probe_count, "refused": CALLERS - probe_count}
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize("probe_count", [1, 5])
async def test_of_500_tasks_exactly_the_probes_reach_the_backend(
    clock: ManualClock, probe_count: int
) -> None:
    breaker = half_open(clock, probe_count)
    reached, decided = Counter[str](), asyncio.Event()

    @breaker
    async def backend() -> None:
        reached["backend"] += 1
        await decided.wait()

    callers = [asyncio.create_task(backend()) for _ in range(CALLERS)]
    await asyncio.sleep(0)  # one turn of the loop: every caller has asked
    assert breaker.snapshot().totals.refused == CALLERS - probe_count
    assert reached["backend"] == probe_count
    decided.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert Counter(type(answer) for answer in answers) == {
        type(None): probe_count,
        BreakerOpenError: CALLERS - probe_count,
    }
    assert breaker.state is State.CLOSED


def test_threads_and_tasks_share_the_probes(clock: ManualClock) -> None:
    breaker = half_open(clock, probe_count=3)
    reached, decided = Counter[str](), threading.Event()
    asking = 4

    async def probe() -> None:
        reached["backend"] += 1
        await asyncio.to_thread(decided.wait, 30)

    async def ask() -> None:
        callers = (breaker.call_async(probe) for _ in range(25))
        await asyncio.gather(*callers, return_exceptions=True)

    with ThreadPoolExecutor(asking) as loops:
        pending = [loops.submit(asyncio.run, ask()) for _ in range(asking)]
        while breaker.snapshot().totals.refused < 25 * asking - 3:
            decided.wait(0.001)
        assert reached["backend"] == 3
        decided.set()
        for loop in pending:
            loop.result()


def test_no_lock_is_held_during_a_call(clock: ManualClock) -> None:
    breaker = Breaker("parallel", clock=clock)
    together = threading.Barrier(8)
    run_together(8, lambda _: breaker.call(together.wait, 30))
    assert breaker.snapshot().totals.success == 8


def test_counts_are_exact_under_threads(clock: ManualClock) -> None:
    breaker = Breaker(
        "exact",
        BreakerPolicy(failure_threshold=None, failure_rate=1.0, window=CountWindow(100_000)),
        clock=clock,
    )

    def worker(number: int) -> None:
        for turn in range(1_000):
            try:
                breaker.call(int, "x" if turn % 2 else "1")
            except ValueError:
                continue

    run_together(8, worker)
    seen = breaker.snapshot()
    assert (seen.totals.success, seen.totals.failure) == (4_000, 4_000)
    assert (seen.counts.calls, seen.counts.failures) == (8_000, 4_000)


def test_it_opens_exactly_at_the_threshold_under_threads(clock: ManualClock) -> None:
    breaker = Breaker("threshold", BreakerPolicy(failure_threshold=100), clock=clock)

    def worker(number: int) -> None:
        for _ in range(100):
            try:
                breaker.call(int, "x")
            except (ValueError, BreakerOpenError):
                continue

    run_together(8, worker)
    totals = breaker.snapshot().totals
    assert totals.failure == 100
    assert totals.failure + totals.late + totals.refused == 800


def test_threads_hear_every_transition_once_and_in_order(clock: ManualClock) -> None:
    breaker = Breaker("ordered", clock=clock)
    events: list[TransitionEvent] = []
    breaker.subscribe(events.append)
    run_together(8, lambda _: [breaker.reset() for _ in range(200)])
    assert [event.generation for event in events] == list(range(1, 1_601))


def test_a_registry_makes_each_breaker_once_under_threads() -> None:
    registry = BreakerRegistry(default=BreakerPolicy())
    made: list[Breaker] = []
    run_together(16, lambda number: made.append(registry.get(f"name {number % 2}")))
    assert len(set(map(id, made))) == len(registry) == 2


def half_open(clock: ManualClock, probe_count: int) -> Breaker:
    policy = BreakerPolicy(
        probe_count=probe_count, success_threshold=probe_count, max_half_open_s=3600
    )
    breaker = Breaker("backend", policy, clock=clock)
    breaker.trip()
    breaker.probe()
    return breaker


def run_together(count: int, work: Callable[[int], object]) -> None:
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait(30)
        work(number)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(run, range(count)))

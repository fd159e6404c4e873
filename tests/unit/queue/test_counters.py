"""Counters, alone and between threads."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, strategies as st

from aetherops.queue import BatchAccumulator, SharedCounter

THREADS = 8
ROUNDS = 500


@pytest.fixture
def quick_switches() -> Iterator[None]:
    """Threads take turns every few microseconds, so that an unguarded update is caught."""
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval_s)


def test_a_counter_starts_at_zero_and_adds_one_by_default() -> None:
    counter = SharedCounter()
    assert (counter.value(), counter.snapshot(), counter.history()) == (0, 0, [])
    assert counter.increment() == 1
    assert counter.increment(4) == 5
    assert (counter.value(), counter.snapshot(), counter.history()) == (5, 5, [1, 5])


def test_an_increment_and_its_snapshot_are_one_step() -> None:
    counter = SharedCounter()
    assert counter.increment_and_snapshot() == (1, 1)
    assert counter.increment_and_snapshot(9) == (10, 10)
    assert counter.history() == [1, 10]


def test_the_history_given_is_independent() -> None:
    counter = SharedCounter()
    counter.increment()
    counter.history().clear()
    assert counter.history() == [1]


@given(st.lists(st.integers(-100, 100)))
def test_the_history_is_the_running_sum(steps: list[int]) -> None:
    counter = SharedCounter()
    for n in steps:
        counter.increment(n)
    assert counter.history() == [sum(steps[: i + 1]) for i in range(len(steps))]
    assert counter.value() == sum(steps)


@pytest.mark.usefixtures("quick_switches")
def test_threads_lose_no_increment_and_see_only_their_own() -> None:
    counter = SharedCounter()

    def count(_: int) -> list[tuple[int, int]]:
        return [counter.increment_and_snapshot() for _ in range(ROUNDS)]

    with ThreadPoolExecutor(THREADS) as pool:
        seen = [pair for pairs in pool.map(count, range(THREADS)) for pair in pairs]
    assert counter.value() == THREADS * ROUNDS
    assert counter.history() == list(range(1, THREADS * ROUNDS + 1))
    assert all(new == shown for new, shown in seen)
    assert len(set(seen)) == THREADS * ROUNDS


def test_sums_and_counts_are_kept_by_key() -> None:
    accumulator = BatchAccumulator()
    accumulator.accumulate("power", [1, 2])
    accumulator.accumulate("power", [2])
    accumulator.accumulate("fuel", [0.25])
    assert (accumulator.total("power"), accumulator.count("power")) == (5, 3)
    assert accumulator.average("power") == 1.6667
    assert (accumulator.total("fuel"), accumulator.count("fuel")) == (0.25, 1)


def test_an_unknown_key_has_nothing() -> None:
    accumulator = BatchAccumulator()
    assert (accumulator.average("x"), accumulator.total("x"), accumulator.count("x")) == (0, 0, 0)
    accumulator.accumulate("x", [])
    assert (accumulator.average("x"), accumulator.total("x"), accumulator.count("x")) == (0, 0, 0)


def test_a_generator_is_summed_and_counted_in_one_pass() -> None:
    accumulator = BatchAccumulator()
    accumulator.accumulate("n", (n for n in range(10)))
    assert (accumulator.total("n"), accumulator.count("n")) == (45, 10)


def test_a_batch_that_fails_halfway_adds_nothing() -> None:
    accumulator = BatchAccumulator()

    def failing() -> Iterator[float]:
        yield 1.0
        raise ConnectionError

    with pytest.raises(ConnectionError):
        accumulator.accumulate("n", failing())
    assert (accumulator.total("n"), accumulator.count("n")) == (0, 0)


@given(st.lists(st.lists(st.floats(-1e6, 1e6))))
def test_the_total_is_the_left_to_right_sum_however_it_is_cut(batches: list[list[float]]) -> None:
    accumulator = BatchAccumulator()
    total = 0.0
    for batch in batches:
        accumulator.accumulate("n", batch)
        for value in batch:
            total += value
    assert accumulator.total("n") == total


@pytest.mark.usefixtures("quick_switches")
def test_threads_lose_no_batch() -> None:
    accumulator = BatchAccumulator()

    def add(_: int) -> None:
        for _ in range(ROUNDS):
            accumulator.accumulate("n", [1, 2])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(add, range(THREADS)))
    assert accumulator.count("n") == 2 * THREADS * ROUNDS
    assert accumulator.total("n") == 3 * THREADS * ROUNDS

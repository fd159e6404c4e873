"""The compiled core gives back what it takes, and threads share the processors."""

from __future__ import annotations

import gc
import math
import pickle
import threading
import time
import tracemalloc
from array import array

import pytest

from aetherops import core
from aetherops.telemetry import (
    Moments,
    SlidingWindow,
    StreamingAggregator,
    correlate_streams,
    largest_triangle_three_buckets,
    summarize,
    summarize_time_buckets,
)

FUNCTIONS = ("mean", "median", "min", "max", "last")
VALUES = array("d", [math.sin(i) * 100 for i in range(3_000)])
TIMES = array("q", range(3_000))


def use_everything():
    aggregator = StreamingAggregator([10, 100], FUNCTIONS)
    aggregator.push_many(VALUES)
    aggregator.push_many(list(VALUES))
    aggregator.push_many(iter(VALUES))
    aggregator.merge(pickle.loads(pickle.dumps(aggregator)))
    aggregator.snapshot()
    aggregator.drain()
    summarize(list(VALUES), 10, FUNCTIONS)
    window = SlidingWindow(size=100)
    window.push_many(VALUES)
    window.copy().anomalies()
    summarize_time_buckets(TIMES, VALUES, 70).regroup(700).total()
    largest_triangle_three_buckets(VALUES, 100)
    correlate_streams(VALUES, VALUES)
    for bad in ([1.0, "x"], [math.nan], 5, memoryview(VALUES).cast("B").cast("d", (30, 100))):
        with pytest.raises((TypeError, ValueError)):
            Moments(bad, nan_policy="raise")


def test_nothing_is_left_behind():
    use_everything()
    gc.collect()
    tracemalloc.start()
    try:
        use_everything()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(10):
            use_everything()
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 5_000
    finally:
        tracemalloc.stop()


def test_a_buffer_is_let_go_after_it_was_read():
    values = array("d", VALUES)
    Moments(values)
    summarize(values, 10)
    values.append(1.0)  # an array that is still looked at cannot grow


@pytest.mark.skipif(core.IMPLEMENTATION == "pure", reason="the twins hold the interpreter lock")
def test_long_buffers_are_read_without_the_interpreter_lock():
    values = array("d", bytes(8 * 20_000_000))
    ticks = 0
    done = threading.Event()

    def read():
        for _ in range(20):  # long enough to be seen from a thread that must share its core
            Moments(values)
        done.set()

    reader = threading.Thread(target=read)
    reader.start()
    while not done.is_set():
        ticks += 1
        time.sleep(0)
    reader.join()
    # With the lock held, this thread could have counted between two readings only.
    assert ticks > 100

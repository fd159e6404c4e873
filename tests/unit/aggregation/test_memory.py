"""How little memory the aggregator takes, beside a plain reference on the same window."""

from __future__ import annotations

import gc
import random
import sys
import tracemalloc
from array import array

import pytest

from aetherops import core
from aetherops.telemetry import StreamingAggregator, summarize

pytestmark = pytest.mark.skipif(
    core.IMPLEMENTATION == "pure", reason="the twins work on Python's own objects"
)


def plain_window(values, factor, threshold=2.0):
    """Several passes over a list, as one would write it."""
    downsampled = []
    for start in range(0, len(values), factor):
        part = values[start : start + factor]
        downsampled.append(round(sum(part) / len(part), 4))
    mean = sum(values) / len(values)
    std = (sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5 or 0.001
    anomalies = [i for i, v in enumerate(values) if abs(v - mean) / std > threshold]
    return {
        "downsampled": downsampled,
        "anomaly_indices": anomalies,
        "summary_mean": round(mean, 4),
    }


def traced_peak(call) -> int:
    call()  # caches and free lists are filled
    gc.collect()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def noise(count):
    rng = random.Random(7)
    return [rng.gauss(100, 5) for _ in range(count)]


@pytest.fixture(params=[10_000, 100_000])
def window(request):
    return noise(request.param)


def test_streaming_chunks_takes_a_fifth_of_the_memory_at_most(window):
    chunks = [array("d", window[i : i + 1_000]) for i in range(0, len(window), 1_000)]

    def stream():
        aggregator = StreamingAggregator(10, mode="online")
        for chunk in chunks:
            aggregator.push_many(chunk)
            aggregator.drain()
        return aggregator.snapshot()

    assert traced_peak(stream) <= 0.2 * traced_peak(lambda: plain_window(window, 10))


def test_streaming_needs_the_same_memory_however_long_the_stream():
    chunk = array("d", [float(i % 97) for i in range(1_000)])

    def stream(count):
        aggregator = StreamingAggregator(10, mode="online")
        for _ in range(count):
            aggregator.push_many(chunk)
            aggregator.drain()

    assert traced_peak(lambda: stream(2_000)) <= 1.05 * traced_peak(lambda: stream(200))


@pytest.mark.parametrize("source", [list, lambda values: array("d", values)], ids=["list", "array"])
def test_a_window_at_once_takes_70_percent_less(source, window):
    reference = traced_peak(lambda: plain_window(window, 10))
    given = source(window)
    assert traced_peak(lambda: summarize(given, 10)) <= 0.3 * reference


def test_a_window_at_once_leaves_a_twentieth_of_the_blocks(window):
    reference = count_blocks(lambda: plain_window(window, 10))
    assert count_blocks(lambda: summarize(window, 10)) <= 0.05 * reference


def count_blocks(call) -> int:
    """How many allocations an answer holds, as the interpreter counts them."""
    call()
    gc.collect()
    before = sys.getallocatedblocks()
    answer = call()
    blocks = sys.getallocatedblocks() - before
    assert answer is not None
    return blocks

"""The whole job over one window, beside a plain reference and beside peers that are installed.

    python tests/benchmarks/aggregator_figures.py [values ...]

The job: rounded bucket means of ten values, mean, variance, smallest, largest, and the indices of
values beyond three deviations. All contenders take turns, round after round; the least time counts.
Peers (NumPy, polars, pandas, Numba) are left out where they are not installed.
"""

from __future__ import annotations

import gc
import os
import random
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")

from aetherops import core
from aetherops.telemetry import (
    Moments,
    SlidingWindow,
    StreamingAggregator,
    largest_triangle_three_buckets,
    min_max,
    rolling,
    summarize,
)

FACTOR, THRESHOLD = 10, 3.0
Contender = Callable[[], Any]


def reference(values: list[float]) -> Any:
    """Several passes over a list, as one would write it."""
    means = []
    for start in range(0, len(values), FACTOR):
        part = values[start : start + FACTOR]
        means.append(round(sum(part) / len(part), 4))
    mean = sum(values) / len(values)
    variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
    std = variance**0.5 or 0.001
    anomalies = [i for i, v in enumerate(values) if abs(v - mean) / std > THRESHOLD]
    return means, mean, variance, min(values), max(values), anomalies


def streamed(values: Any, functions: Any = "mean") -> Any:
    aggregator = StreamingAggregator(FACTOR, functions, anomaly_threshold=THRESHOLD)
    aggregator.push_many(values)
    return aggregator.snapshot()


def chunked(values: Any, factor: int = FACTOR) -> Any:
    aggregator = StreamingAggregator(factor, anomaly_threshold=None)
    for start in range(0, len(values), 1_000):
        aggregator.push_many(values[start : start + 1_000])
        aggregator.drain()
    return aggregator.snapshot()


def ours(values: array[float]) -> Iterator[tuple[str, Contender]]:
    view = memoryview(values)
    yield (
        "one window, from a buffer",
        lambda: summarize(values, FACTOR, anomaly_threshold=THRESHOLD),
    )
    yield (
        "one window, medians",
        lambda: summarize(values, FACTOR, "median", anomaly_threshold=THRESHOLD),
    )
    yield (
        "one window, without anomalies",
        lambda: summarize(values, FACTOR, anomaly_threshold=None),
    )
    yield "streamed, window retained", lambda: streamed(values)
    yield "streamed in chunks, drained", lambda: chunked(view)
    yield "moments alone", lambda: Moments(values)
    if len(values) <= 1_000_000:
        numbers = list(values)
        yield (
            "one window, from a list",
            lambda: summarize(numbers, FACTOR, anomaly_threshold=THRESHOLD),
        )


def numpy_peers(values: array[float]) -> Iterator[tuple[str, Contender]]:
    import numpy as np

    x = np.frombuffer(values)
    whole = len(x) // FACTOR * FACTOR

    def passes() -> Any:
        means = np.round(x[:whole].reshape(-1, FACTOR).mean(axis=1), 4)
        mean, std = x.mean(), x.std(ddof=1)
        anomalies = np.flatnonzero(np.abs(x - mean) / std > THRESHOLD)
        return means, mean, std**2, x.min(), x.max(), anomalies

    weights, scratch = np.full(FACTOR, 1 / FACTOR), np.empty_like(x)

    def careful() -> Any:
        means = np.round(x[:whole].reshape(-1, FACTOR) @ weights, 4)
        mean = x.mean()
        distance = np.subtract(x, mean, out=scratch)
        variance = distance @ distance / (len(x) - 1)
        np.abs(distance, out=distance)
        anomalies = np.flatnonzero(distance > THRESHOLD * variance**0.5)
        return means, mean, variance, x.min(), x.max(), anomalies

    yield "NumPy, several passes", passes
    yield "NumPy, in place, dot products", careful
    yield "reading the memory (NumPy max)", lambda: x.max()


def polars_peers(values: array[float]) -> Iterator[tuple[str, Contender]]:
    import numpy as np
    import polars as pl

    series = pl.Series(np.frombuffer(values))
    whole = len(values) // FACTOR * FACTOR

    def best() -> Any:
        means = series[:whole].reshape((-1, FACTOR)).arr.mean().round(4)
        mean, std = series.mean(), series.std()
        anomalies = ((series - mean).abs() / std > THRESHOLD).arg_true()
        return means, mean, std**2, series.min(), series.max(), anomalies

    yield "polars, one thread", best


def pandas_peers(values: array[float]) -> Iterator[tuple[str, Contender]]:
    import numpy as np
    import pandas as pd

    series = pd.Series(np.frombuffer(values))
    groups = np.arange(len(values)) // FACTOR

    def passes() -> Any:
        means = series.groupby(groups).mean().round(4)
        mean, std = series.mean(), series.std()
        anomalies = np.flatnonzero((series - mean).abs() / std > THRESHOLD)
        return means, mean, std**2, series.min(), series.max(), anomalies

    yield "pandas", passes


def numba_peers(values: array[float]) -> Iterator[tuple[str, Contender]]:
    import numba
    import numpy as np

    x = np.frombuffer(values)

    def job(x: Any, factor: int, threshold: float) -> Any:
        total, low, high = 0.0, x[0], x[0]
        n_buckets = len(x) // factor
        means = np.empty(n_buckets)
        for b in range(n_buckets):
            part = 0.0
            for k in range(factor):
                v = x[b * factor + k]
                part += v
                low, high = min(low, v), max(high, v)
            means[b] = np.round(part / factor, 4)
            total += part
        mean, squares = total / len(x), 0.0
        for v in x:
            squares += (v - mean) * (v - mean)
        limit = threshold * np.sqrt(squares / (len(x) - 1))
        anomalies = np.empty(len(x), np.int64)
        found = 0
        for i in range(len(x)):
            if abs(x[i] - mean) > limit:
                anomalies[found] = i
                found += 1
        return means, mean, squares / (len(x) - 1), low, high, anomalies[:found].copy()

    fast, strict = numba.njit(fastmath=True)(job), numba.njit(job)
    yield "Numba, fastmath, fused", lambda: fast(x, FACTOR, THRESHOLD)
    yield "Numba, strict", lambda: strict(x, FACTOR, THRESHOLD)


def contenders(values: array[float]) -> Iterator[tuple[str, Contender]]:
    numbers = list(values)
    yield "reference", lambda: reference(numbers)
    yield from ours(values)
    for peers in (numpy_peers, polars_peers, pandas_peers, numba_peers):
        try:
            yield from peers(values)
        except ImportError:
            continue


def least_times(entries: dict[str, Contender], budget_s: float) -> dict[str, float]:
    """Seconds of each contender, the least of many calls; all take turns of a few milliseconds."""
    least = dict.fromkeys(entries, float("inf"))
    end = time.perf_counter() + budget_s
    gc.disable()
    try:
        while time.perf_counter() < end:
            for name, call in entries.items():
                least[name] = min(least[name], *turn(call))
    finally:
        gc.enable()
    return least


def turn(call: Contender) -> Iterator[float]:
    """Times of calls, for two milliseconds and at least twice: the first fills the caches."""
    end = time.perf_counter() + 0.002
    for number in count():
        start = time.perf_counter()
        call()
        now = time.perf_counter()
        yield now - start
        if number and now > end:
            return


def noise(n: int) -> array[float]:
    rng = random.Random(2013)
    return array("d", (rng.gauss(100, 5) for _ in range(n)))


def print_window(n: int) -> None:
    values = noise(n)
    times = least_times(dict(contenders(values)), budget_s=12.0 if n < 10**6 else 40.0)
    print(f"\n{n:,} values, {core.IMPLEMENTATION} core, {core.instruction_set()}")
    print(f"{'':34}{'ns a value':>12}{'reference ÷':>14}{'÷ one window':>14}")
    own = times["one window, from a buffer"]
    for name, seconds in times.items():
        ratio, beside = times["reference"] / seconds, seconds / own
        print(f"{name:34}{seconds / n * 1e9:12.2f}{ratio:14.1f}{beside:14.2f}")


def print_steps() -> None:
    """Calls that take one value, and series in, series out."""
    values = noise(100_000)
    aggregator = StreamingAggregator(FACTOR, anomaly_threshold=None)
    window, moments = SlidingWindow(size=1_000), Moments()

    def push(target: Any) -> Contender:
        def run() -> None:
            step = target.push
            for v in values:
                step(v)

        return run

    def online() -> Any:
        detector = StreamingAggregator(FACTOR, mode="online", anomaly_threshold=THRESHOLD)
        return detector.push_many(values)

    entries: dict[str, Contender] = {
        "empty loop": lambda: [None for v in values if v is None],
        "StreamingAggregator.push": push(aggregator),
        "Moments.push": push(moments),
        "SlidingWindow.push": push(window),
        "online mode, push_many": online,
        "chunks into buckets of 3,600": lambda: chunked(memoryview(values), 3_600),
        "rolling(size=1,000)": lambda: rolling(values, 1_000),
        "largest triangles, to 1,000": lambda: largest_triangle_three_buckets(values, 1_000),
        "min-max, to 1,000": lambda: min_max(values, 1_000),
    }
    print("\nns a value, 100,000 values")
    for name, seconds in least_times(entries, budget_s=8.0).items():
        print(f"{name:34}{seconds / len(values) * 1e9:12.2f}")


def print_threads() -> None:
    """Two threads, each with a stream of its own, beside one thread that does both."""
    streams = [noise(4_000_000), noise(4_000_000)]

    def one_after_the_other() -> None:
        for values in streams:
            summarize(values, FACTOR, anomaly_threshold=None)

    def side_by_side() -> None:
        threads = [
            threading.Thread(
                target=summarize, args=(values, FACTOR), kwargs={"anomaly_threshold": None}
            )
            for values in streams
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    times = least_times({"one": one_after_the_other, "two": side_by_side}, budget_s=4.0)
    print(f"\ntwo threads on two streams: {times['one'] / times['two']:.2f} times one thread")


def main() -> None:
    for n in [int(argument) for argument in sys.argv[1:]] or [10_000, 100_000, 1_000_000]:
        print_window(n)
    print_steps()
    print_threads()


if __name__ == "__main__":
    main()

"""Prints a digest of many answers of the aggregator, for runs that must not differ in a bit."""

from __future__ import annotations

import hashlib
import math
import random
import sys
from array import array

from aetherops.core import instruction_set
from aetherops.telemetry import (
    Moments,
    SlidingWindow,
    StreamingAggregator,
    correlate_streams,
    largest_triangle_three_buckets,
    min_max,
    moving_average,
    summarize,
    summarize_time_buckets,
)

FUNCTIONS = ["mean", "median", "min", "max", "last"]
HARD = [0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.7e308, -1.7e308, 1e15]


def streams(seed: int, n_streams: int):
    rng = random.Random(seed)
    for _ in range(n_streams):
        share = rng.choice([0.0, 0.0, 0.02, 0.5])
        scale = 10.0 ** rng.uniform(-3, 3)
        offset = rng.choice([0.0, 100.0, 1e9])
        yield (
            rng,
            [
                rng.choice(HARD) if rng.random() < share else rng.gauss(offset, scale)
                for _ in range(rng.choice([0, 1, 7, 16, 100, 513, 2500]))
            ],
        )


def answers(seed: int, n_streams: int):
    for rng, values in streams(seed, n_streams):
        policy = rng.choice(["propagate", "omit"])
        aggregator = StreamingAggregator(
            [rng.choice([1, 3, 10]), rng.choice([64, 100, 700])], FUNCTIONS, nan_policy=policy
        )
        aggregator.push_many(values)
        for x in values[:40]:
            aggregator.push(x)
        yield aggregator.to_bytes()
        yield bytes(aggregator.snapshot().anomaly_indices)
        yield Moments(values, nan_policy=policy).to_bytes()
        summary = summarize(array("d", values), 10, FUNCTIONS, nan_policy=policy)
        yield from (bytes(column) for column in summary.downsampled.values())
        times = sorted(rng.randrange(10**6) for _ in values)
        summaries = summarize_time_buckets(times, values, 50_000, nan_policy=policy)
        yield from (bytes(summaries.mean), bytes(summaries.m2), bytes(summaries.max))
        numbers = [v for v in values if math.isfinite(v)]
        window = SlidingWindow(size=30)
        window.push_many(numbers)
        yield repr(window.summary()).encode()
        yield repr(moving_average(numbers, 20)).encode()
        yield repr(correlate_streams(numbers, numbers[3:])).encode()
        yield bytes(min_max(numbers, 20)) + bytes(largest_triangle_three_buckets(numbers, 20))


if __name__ == "__main__":
    digest = hashlib.sha256()
    for answer in answers(seed=2013, n_streams=int(sys.argv[1])):
        digest.update(answer)
    sys.stdout.write(f"{instruction_set()} {digest.hexdigest()}\n")

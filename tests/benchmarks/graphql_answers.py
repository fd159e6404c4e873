"""Time of GraphQL answers, application and client in one process, store in memory.

Run with ``python tests/benchmarks/graphql_answers.py``; docs/graphql.md shows its figures.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import structlog

sys.path.insert(0, str(Path(__file__).parents[1] / "api"))

from conftest import SECOND, START_US, Platform

from aetherops.instants import to_iso
from aetherops.runtime.settings import Settings

SAMPLES = 1_000_000
EVERYTHING = """scanned returned resolution columns { times values counts }
    statistics { count mean variance stddev min max first last percentiles { rank value } }
    anomalies { total times values scores }"""


def question(samples: int, selection: str, downsample: str = "") -> str:
    end = to_iso(START_US + samples * SECOND)
    time_range = f'{{start: "{to_iso(START_US)}", end: "{end}"}}'
    return f'{{ telemetry(stream: "a/b/c", range: {time_range}{downsample}) {{ {selection} }} }}'


QUESTIONS = {
    "{ __typename }": "{ __typename }",
    "1,000 points, epochUs values": question(1000, "columns { epochUs values }"),
    "10,000 points, epochUs values": question(10_000, "columns { epochUs values }"),
    "10,000 points, times values": question(10_000, "columns { times values }"),
    "100,000 points, times values": question(100_000, "columns { times values }"),
    "86,400 samples, 200 buckets": question(86_400, EVERYTHING, ", downsample: {buckets: 200}"),
    "1,000,000 samples, 200 buckets": question(SAMPLES, EVERYTHING, ", downsample: {buckets: 200}"),
}


async def measure(client, query: str, rounds: int = 30) -> tuple[float, int]:
    """Median time in milliseconds, and bytes of the answer."""
    times_ms = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        response = await client.post("/graphql", json={"query": query})
        times_ms.append((time.perf_counter() - started) * 1e3)
        assert b'"errors"' not in response.content
    return statistics.median(times_ms[1:]), len(response.content)  # the first parses the document


async def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    platform = Platform(settings=Settings())
    rng = np.random.default_rng(7)
    for start in range(0, SAMPLES, 250_000):
        times_us = START_US + np.arange(start, start + 250_000) * SECOND
        await platform.keep("a/b/c", times_us, np.sin(times_us / 1e9) + rng.normal(size=250_000))
    async with platform.client() as client:
        for name, query in QUESTIONS.items():
            took_ms, size = await measure(client, query)
            sys.stdout.write(f"{name:34} {took_ms:8.2f} ms {size:10,} bytes\n")


if __name__ == "__main__":
    asyncio.run(main())

"""Measures the telemetry store alone, on a PostgreSQL of its own, and prints the figures.

    python tests/benchmarks/store_figures.py

Writes 5 million samples of 100 streams (a random walk at 10 Hz, rounded to three digits), reads
what they take on disk, and times what one late sample costs.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from platform_figures import SAMPLES_A_STREAM, START_US, STEP_US, generate, show

from aetherops.archive.postgres import PostgresTelemetryStore
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.store import AcceptedBatch
from aetherops.archive.stream import Stream, StreamName
from aetherops.connections.postgres import Postgres
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.migrate import migrate
from aetherops.runtime.settings import Settings

ON_DISK = "SELECT pg_total_relation_size('chunk')::float8 / (SELECT sum(count) FROM chunk)"


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="aetherops-figures-") as name:
        settings = Settings(data_dir=Path(name))
        async with (
            running_servers(settings) as endpoints,
            Postgres.connect(endpoints.postgres_owner_dsn) as postgres,
        ):
            await migrate(postgres)
            store = PostgresTelemetryStore(postgres)
            await write(store)
            on_disk = await postgres.pool.fetchval(ON_DISK)
            show("on disk, index included", f"{on_disk:.2f} bytes a sample")
            await add_late_samples(store)


async def write(store: PostgresTelemetryStore) -> None:
    batches = [AcceptedBatch(batch, version) for version, batch in enumerate(generate())]
    begin = time.perf_counter()
    for first in range(0, len(batches), 10):
        await store.write(batches[first : first + 10])
    total = sum(len(accepted.batch) for accepted in batches)
    show("written, one writer", f"{total / (time.perf_counter() - begin) / 1e6:.2f} M samples/s")


async def add_late_samples(store: PostgresTelemetryStore) -> None:
    rng = np.random.default_rng(1)
    times_ms = []
    for version in range(1_000, 1_100):
        late_us = START_US + int(rng.integers(SAMPLES_A_STREAM)) * STEP_US + STEP_US // 2
        stream = Stream(StreamName("bench", f"sat-{version % 100}", "walk"))
        batch = SampleBatch(uuid4(), (Series(stream, Samples.of([late_us], [0.0])),))
        begin = time.perf_counter()
        await store.write([AcceptedBatch(batch, version)])
        times_ms.append((time.perf_counter() - begin) * 1e3)
    show("one late sample, committed", f"{statistics.median(times_ms):.1f} ms (median of 100)")


if __name__ == "__main__":
    asyncio.run(main())

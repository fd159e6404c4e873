"""Measures a running platform as its users meet it, and prints the figures.

    python tests/benchmarks/platform_figures.py [FILE.csv]

Starts `aetherops up` on a new data directory (cold) and again (warm), sends 5 million samples in
100 streams over HTTP until all are stored, ingests a CSV file by the command where one is named,
times queries, and adds up the memory of the processes at rest.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np

from aetherops.archive.codec import MEDIA_TYPE, encode_batch
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.instants import to_iso
from aetherops.runtime.data_dir.instance import Instance, NotRunningError, read_instance

STREAMS, SAMPLES_A_STREAM, BLOCK, STREAMS_A_BATCH = 100, 50_000, 10_000, 10
START_US, STEP_US = 1_767_225_600_000_000, 100_000  # 2026, 10 Hz
COMMAND = [sys.executable, "-m", "aetherops.cli"]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="aetherops-figures-") as name:
        data_dir = Path(name)
        with platform(data_dir) as (_, cold_s):
            show("start, cold (new data directory) to ready", f"{cold_s:.2f} s")
        with platform(data_dir) as (instance, warm_s):
            show("start, warm", f"{warm_s:.2f} s")
            show("memory at rest, all processes (PSS)", f"{memory_mb(instance.pid):.0f} MB")
            asyncio.run(measure(instance))
            for file in sys.argv[1:]:
                ingest_file(data_dir, file)


async def measure(instance: Instance) -> None:
    headers = {"Authorization": f"Bearer {instance.token}"}
    async with httpx.AsyncClient(base_url=instance.url, headers=headers, timeout=60) as client:
        batches = list(generate())
        begin = time.perf_counter()
        await send(client, batches)
        accepted_s = time.perf_counter() - begin
        await wait_until_stored(client, batches)
        stored_s = time.perf_counter() - begin
        total = sum(len(batch) for batch in batches)
        show("5 M samples, 100 streams, accepted", f"{total / accepted_s / 1e6:.2f} M samples/s")
        show("5 M samples, 100 streams, stored", f"{total / stored_s / 1e6:.2f} M samples/s")
        await time_query(client, "1 stream of 50,000 into 200 buckets", QUERY)
        await time_query(client, "with statistics, percentiles, anomalies", QUERY_ALL)


def generate() -> Iterator[SampleBatch]:
    rng = np.random.default_rng(0)
    times = START_US + np.arange(SAMPLES_A_STREAM) * STEP_US
    values = np.cumsum(rng.normal(size=(STREAMS, SAMPLES_A_STREAM)), axis=1).round(3)
    for first in range(0, SAMPLES_A_STREAM, BLOCK):
        block = slice(first, first + BLOCK)
        for group in range(0, STREAMS, STREAMS_A_BATCH):
            yield SampleBatch(
                uuid4(),
                tuple(
                    Series(
                        Stream(StreamName("bench", f"sat-{i}", "walk")),
                        Samples(times[block], values[i, block]),
                    )
                    for i in range(group, group + STREAMS_A_BATCH)
                ),
            )


async def send(client: httpx.AsyncClient, batches: list[SampleBatch]) -> None:
    in_flight = asyncio.Semaphore(4)

    async def post(batch: SampleBatch) -> None:
        async with in_flight:
            answer = await client.post(
                "/v1/telemetry", content=encode_batch(batch), headers={"Content-Type": MEDIA_TYPE}
            )
            answer.raise_for_status()

    await asyncio.gather(*(post(batch) for batch in batches))


async def wait_until_stored(client: httpx.AsyncClient, batches: list[SampleBatch]) -> None:
    ids = [str(batch.batch_id) for batch in batches]
    while True:
        answer = (await client.post("/v1/receipts", json={"batches": ids})).json()
        if len(answer["receipts"]) == len(ids):
            return
        await asyncio.sleep(0.05)


START, END = (to_iso(START_US + i * SAMPLES_A_STREAM * STEP_US) for i in (0, 1))
_HEAD = (
    f'{{ telemetry(stream: "bench/sat-1/walk", range: {{start: "{START}", end: "{END}"}}, '
    "downsample: {buckets: 200}) "
)
QUERY = _HEAD + "{ columns { epochUs values } } }"
QUERY_ALL = _HEAD + (
    "{ columns { epochUs values } statistics { count mean variance min max "
    "percentiles { rank value } } anomalies(threshold: 3) { total } } }"
)


async def time_query(client: httpx.AsyncClient, what: str, query: str) -> None:
    times_ms = []
    for _ in range(60):
        begin = time.perf_counter()
        answer = (await client.post("/graphql", json={"query": query})).json()
        times_ms.append((time.perf_counter() - begin) * 1e3)
        assert "errors" not in answer, answer
    show(f"query, {what}", f"{statistics.median(times_ms):.1f} ms (median of 60)")


def ingest_file(data_dir: Path, file: str) -> None:
    command = [*COMMAND, "ingest", file, "--stream", f"bench/file/{uuid4().hex}"]
    command += ["--data-dir", str(data_dir), "--timezone", "UTC", "--value-column", "value"]
    begin = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    show(f"ingest {Path(file).name}, the whole command", f"{time.perf_counter() - begin:.2f} s")
    print(done.stdout)


@contextmanager
def platform(data_dir: Path) -> Iterator[tuple[Instance, float]]:
    begin = time.perf_counter()
    process = subprocess.Popen(
        [*COMMAND, "up", "--data-dir", str(data_dir), "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        instance = wait_until_ready(data_dir, process)
        yield instance, time.perf_counter() - begin
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def wait_until_ready(data_dir: Path, process: subprocess.Popen[bytes]) -> Instance:
    while process.poll() is None:
        try:
            instance = read_instance(data_dir)
            if httpx.get(f"{instance.url}/readyz", timeout=5).status_code == httpx.codes.OK:
                return instance
        except (NotRunningError, httpx.TransportError):
            time.sleep(0.01)
    sys.exit(f"aetherops up ended with {process.returncode}")


def memory_mb(pid: int) -> float:
    """Proportional set size of a process and all below it."""
    time.sleep(2)
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    total_kb, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        waiting += children.get(one, [])
        rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        total_kb += int(rollup.split("Pss:")[1].split()[0])
    return total_kb / 1024


def show(what: str, figure: str) -> None:
    print(f"{what:<55} {figure}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("AETHEROPS_LOG_LEVEL", "warning")
    main()

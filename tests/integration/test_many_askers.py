"""A platform as it is by default under a team: nobody is refused, memory is given back."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pytest

from aetherops.archive.codec import MEDIA_TYPE, encode_batch
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.instants import to_iso
from aetherops.runtime.data_dir.instance import Instance, read_instance

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

START_US, STEP_US = 1_767_225_600_000_000, 1_000_000
STREAMS, SAMPLES, BATCH = 10, 600_000, 200_000
DAY = 86_400
LIMITS_MB = {"under load": 400, "after it": 200}


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    # Not pytest's directory: its parents are closed to the user that PostgreSQL runs as under root.
    data_dir = Path(tempfile.mkdtemp(prefix="aetherops-askers-"))
    environment = {name: text for name, text in os.environ.items() if "AETHEROPS" not in name}
    command = [sys.executable, "-m", "aetherops.cli", "up", "--port", "0"]
    with (data_dir / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--data-dir", str(data_dir / "data")],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
    try:
        assert process.stdout is not None
        assert any(line.startswith("Stop") for line in process.stdout), (
            data_dir / "log"
        ).read_text()
        yield read_instance(data_dir / "data")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stdout.close()
        shutil.rmtree(data_dir)


@pytest.fixture
def client(instance: Instance) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {instance.token}"}
    return httpx.AsyncClient(base_url=instance.url, headers=headers, timeout=60)


def telemetry(stream: int, samples: int, selection: str, arguments: str = "") -> str:
    span = f'{{start: "{to_iso(START_US)}", end: "{to_iso(START_US + samples * STEP_US)}"}}'
    field = f'telemetry(stream: "test/askers/value-{stream}", range: {span}{arguments})'
    return f"s{stream}: {field} {{ {selection} }}"


async def store_streams(client: httpx.AsyncClient) -> None:
    rng = np.random.default_rng(3)
    batches = []
    for stream in range(STREAMS):
        name = StreamName("test", "askers", f"value-{stream}")
        for first in range(0, SAMPLES, BATCH):
            times_us = START_US + np.arange(first, first + BATCH) * STEP_US
            samples = Samples.of(times_us, rng.normal(size=BATCH).cumsum().round(2))
            batch = SampleBatch(uuid4(), (Series(Stream(name), samples),))
            batches.append(str(batch.batch_id))
            sent = await client.post(
                "/v1/telemetry", content=encode_batch(batch), headers={"Content-Type": MEDIA_TYPE}
            )
            assert sent.status_code == 202
    stored = 0
    while stored < len(batches):
        await asyncio.sleep(0.1)
        answer = await client.post("/v1/receipts", json={"batches": batches})
        stored = len(answer.json()["receipts"])


async def ask_for(client: httpx.AsyncClient, seconds: float, clients: int, query: str) -> list[int]:
    """Statuses of all that so many clients were answered, each asking again as soon as it is."""
    end_s, statuses = time.monotonic() + seconds, []

    async def one() -> None:
        while time.monotonic() < end_s:
            answer = await client.post("/graphql", json={"query": query})
            statuses.append(answer.status_code)
            assert "errors" not in answer.json()

    await asyncio.gather(*(one() for _ in range(clients)))
    return statuses


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_a_team_is_answered_without_refusals_in_bounded_memory(
    instance: Instance, client: httpx.AsyncClient
) -> None:
    panel = "{" + telemetry(0, DAY, "columns { epochUs values }", ", downsample: {buckets: 200}")
    everything = "statistics { mean stddev percentiles { value } }"
    heavy = "{" + " ".join(telemetry(i, SAMPLES, everything) for i in range(STREAMS)) + "}"
    most_mb = 0.0

    async def watch() -> None:
        nonlocal most_mb
        while True:
            most_mb = max(most_mb, resident_mb(instance.pid))
            await asyncio.sleep(0.02)

    async with client:
        await store_streams(client)
        watching = asyncio.create_task(watch())
        assert set(await ask_for(client, 3.0, 8, panel + "}")) == {200}
        for clients in (4, 8):
            assert set(await ask_for(client, 2.5, clients, heavy)) == {200}
        watching.cancel()

    assert most_mb < LIMITS_MB["under load"]
    deadline_s = time.monotonic() + 10
    while resident_mb(instance.pid) > LIMITS_MB["after it"] and time.monotonic() < deadline_s:
        await asyncio.sleep(0.1)
    assert resident_mb(instance.pid) < LIMITS_MB["after it"]

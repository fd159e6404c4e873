"""The whole platform is killed while it takes telemetry in: what it accepted is there again."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pytest

from aetherops.runtime.instance import NotRunningError, read_instance
from aetherops.telemetry.codec import MEDIA_TYPE, encode_batch
from aetherops.telemetry.samples import SampleBatch, Samples, Series
from aetherops.telemetry.stream import Stream, StreamName

pytestmark = [pytest.mark.chaos, pytest.mark.integration]

STREAM = Stream(StreamName("chaos", "sat-1", "value"))
SAMPLES = 500


def batch_of(number):
    times = np.arange(number * SAMPLES, (number + 1) * SAMPLES)
    return SampleBatch(uuid4(), (Series(STREAM, Samples.of(times, np.sin(times))),))


@asynccontextmanager
async def platform(data_dir):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "aetherops.cli", "up", "--data-dir", str(data_dir), "--port", "0"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process, await instance_of(data_dir, process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def instance_of(data_dir, process):
    async with asyncio.timeout(60):
        while process.returncode is None:
            try:
                instance = read_instance(data_dir)
            except NotRunningError:
                await asyncio.sleep(0.05)
            else:
                if instance.pid == process.pid:
                    return instance
                await asyncio.sleep(0.05)
    pytest.fail(f"the platform ended with {process.returncode}")


def client_of(instance):
    headers = {"Authorization": f"Bearer {instance.token}"}
    return httpx.AsyncClient(base_url=instance.url, headers=headers, timeout=10)


async def send_until_it_dies(client, numbers, accepted):
    while True:
        batch = batch_of(next(numbers))
        try:
            answer = await client.post(
                "/v1/telemetry", content=encode_batch(batch), headers={"Content-Type": MEDIA_TYPE}
            )
        except httpx.TransportError:
            return
        if answer.status_code == httpx.codes.ACCEPTED:
            accepted.append(batch)


async def all_stored(client, batches):
    missing = {str(batch.batch_id) for batch in batches}
    async with asyncio.timeout(60):
        while missing:
            asked = sorted(missing)[:500]
            answer = await client.post("/v1/receipts", json={"batches": asked})
            answer.raise_for_status()
            missing -= {receipt["batch"] for receipt in answer.json()["receipts"]}
            await asyncio.sleep(0.05)


async def test_every_acknowledged_batch_survives_kill_9_of_everything(tmp_path):
    accepted: list[SampleBatch] = []
    numbers = iter(range(10**6))
    for _ in range(2):
        async with platform(tmp_path) as (process, instance), client_of(instance) as client:
            senders = [
                asyncio.create_task(send_until_it_dies(client, numbers, accepted)) for _ in range(4)
            ]
            reached = len(accepted) + 40
            async with asyncio.timeout(60):
                while len(accepted) < reached:
                    await asyncio.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
            await asyncio.gather(*senders)

    async with platform(tmp_path) as (_, instance), client_of(instance) as client:
        await all_stored(client, accepted)
        query = '{ stream(name: "chaos/sat-1/value") { count } }'
        answer = await client.post("/graphql", json={"query": query})
        count = int(answer.json()["data"]["stream"]["count"])

    # At least the acknowledged ones, each once; one a sender may have been kept unacknowledged.
    assert count >= SAMPLES * len(accepted)
    assert count <= SAMPLES * (len(accepted) + 8)


async def test_a_terminated_platform_ends_its_servers_and_frees_its_port(tmp_path):
    async with platform(tmp_path) as (process, instance):
        port = int(instance.url.rsplit(":", 1)[1])
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0

    with pytest.raises(NotRunningError):
        read_instance(tmp_path)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    assert not processes_in(tmp_path)


def processes_in(directory):
    """Command lines of processes that name the directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has ended meanwhile
            continue
        if str(directory) in command and process.name != str(os.getpid()):
            found.append(command)
    return found

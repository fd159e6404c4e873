"""A cluster of three NATS servers: what its operator set stays, and a lost disk loses nothing."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sysconfig
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import nats.errors
import nats.js.errors
import numpy as np
import pytest
from structlog.testing import capture_logs

from aetherops.archive.jetstream import JetStreamQueue, check_server, prepare_streams
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.connections.nats import Nats
from aetherops.connections.nats_streams import stream_document
from aetherops.errors import InvalidInputError, UnavailableError

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

PROGRAM = Path(sysconfig.get_path("scripts")) / "nats-server"
LIMIT = 64 * 2**20


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@dataclass
class Cluster:
    """Servers on one machine, each with a directory of its own."""

    directory: Path
    ports: list[int]
    routes: list[int]
    processes: dict[int, asyncio.subprocess.Process] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return ",".join(f"nats://127.0.0.1:{port}" for port in self.ports)

    async def start(self, i: int) -> None:
        routes = [f"nats://127.0.0.1:{port}" for port in self.routes]
        configuration = {
            "server_name": f"n{i}",
            "listen": f"127.0.0.1:{self.ports[i]}",
            "max_payload": 8 * 2**20,
            "jetstream": {"store_dir": str(self.directory / f"n{i}")},
            "cluster": {
                "name": "three",
                "listen": f"127.0.0.1:{self.routes[i]}",
                "routes": routes,
            },
        }
        path = self.directory / f"n{i}.conf"
        path.write_text(json.dumps(configuration))
        quiet = asyncio.subprocess.DEVNULL
        self.processes[i] = await asyncio.create_subprocess_exec(
            PROGRAM, "--config", path, stdout=quiet, stderr=quiet
        )

    async def lose(self, i: int) -> None:
        """Kill a server and take its disk away."""
        await self.kill(i)
        shutil.rmtree(self.directory / f"n{i}")

    async def kill(self, i: int) -> None:
        process = self.processes.pop(i)
        process.kill()
        await process.wait()


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    ports = free_ports(6)
    cluster = Cluster(tmp_path, ports[:3], ports[3:])
    for i in range(3):
        await cluster.start(i)
    yield cluster
    for i in list(cluster.processes):
        await cluster.kill(i)


@pytest.fixture
async def connected(cluster: Cluster) -> AsyncIterator[Nats]:
    async with asyncio.timeout(60):
        while True:  # a leader of the cluster is to be elected first
            try:
                async with Nats.connect(cluster.url) as handle:
                    await prepared(handle)
                    yield handle
                    return
            except UnavailableError:
                await asyncio.sleep(0.5)


async def prepared(handle: Nats, replicas: int | None = None) -> None:
    await prepare_streams(handle, LIMIT, replicas)


async def until(holds) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if await holds():
                    return
            except (nats.errors.Error, OSError, UnavailableError):
                pass
            await asyncio.sleep(0.25)


def batch(i: int) -> SampleBatch:
    stream = Stream(StreamName("orbit", "sat-7", "altitude_km"))
    return SampleBatch(uuid4(), (Series(stream, Samples.of(np.arange(100) + i, np.ones(100))),))


async def changed(handle: Nats, **settings) -> None:
    """What an operator does with the server's own tools."""
    config = (await stream_document(handle, "TELEMETRY"))["config"] | settings
    content = json.dumps(config).encode()
    answer = await handle.client.request("$JS.API.STREAM.UPDATE.TELEMETRY", content, timeout=10)
    assert "error" not in json.loads(answer.data)


async def test_streams_have_three_copies_and_a_lost_disk_loses_no_batch(
    cluster: Cluster, connected: Nats
) -> None:
    for name in ("TELEMETRY", "TELEMETRY_REJECTED"):
        assert (await stream_document(connected, name))["config"]["num_replicas"] == 3
    queue = JetStreamQueue(connected)
    for i in range(50):
        await queue.put(batch(i))

    leader = (await stream_document(connected, "TELEMETRY"))["cluster"]["leader"]
    await cluster.lose(int(leader[1:]))

    async def all_there() -> bool:
        document = await stream_document(connected, "TELEMETRY")
        return document["state"]["messages"] == 50

    await until(all_there)


async def test_what_an_operator_set_survives_starts_and_is_told(connected: Nats) -> None:
    await changed(
        connected, num_replicas=1, description="ours", max_bytes=LIMIT // 2, max_age=10**15
    )
    with capture_logs() as logs:
        for _ in range(2):
            await check_server(connected)
            await prepared(connected)

    config = (await stream_document(connected, "TELEMETRY"))["config"]
    assert (config["num_replicas"], config["description"]) == (1, "ours")
    assert (config["max_bytes"], config["max_age"]) == (LIMIT // 2, 10**15)
    told = [line for line in logs if line["event"] == "settings_not_changed"]
    assert [line["found"] for line in told] == [{"max_bytes": LIMIT // 2, "num_replicas": 1}] * 2


async def test_more_copies_than_there_are_servers_are_refused_by_the_settings_name(
    connected: Nats,
) -> None:
    await connected.js.delete_stream("TELEMETRY")
    with pytest.raises(InvalidInputError, match="AETHEROPS_NATS_REPLICAS"):
        await prepared(connected, 5)

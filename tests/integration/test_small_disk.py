"""A platform on a small disk that fills up: it starts, refuses what it cannot keep, and answers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from aetherops.archive.jetstream import prepare_streams
from aetherops.connections.nats import Nats
from aetherops.errors import InvalidInputError
from aetherops.runtime.data_dir.disk import Disk
from aetherops.runtime.data_dir.instance import Instance, NotRunningError, read_instance
from aetherops.runtime.embedded import nats, running_servers
from aetherops.runtime.embedded.child import ServerStartError
from aetherops.runtime.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

MIB = 2**20
STREAM = "disk/sat-1/value"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A file system of 450 MiB: far less than a queue would reserve on a large one."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root makes file systems")
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=450m", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("no file system can be made here")
    yield Disk(place)
    subprocess.run(["umount", str(place)], check=True)


def fill(disk: Disk, free_mib: int) -> Path:
    """Leave so much free, by a file of somebody else's that is returned."""
    filling = disk.directory / f"filling-{free_mib}"
    with filling.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, disk.free_bytes() - free_mib * MIB or 1)
    return filling


@dataclass
class Platform:
    client: httpx.AsyncClient

    async def ready(self) -> tuple[int, dict[str, Any]]:
        answer = await self.client.get("/readyz")
        return answer.status_code, answer.json()

    async def send(self, at: int) -> httpx.Response:
        batch = {"stream": STREAM, "times": [at], "values": [1.5]}
        return await self.client.post("/v1/telemetry", json=batch)

    async def count(self) -> int:
        query = {"query": f'{{ stream(name: "{STREAM}") {{ count }} }}'}
        answer = (await self.client.post("/graphql", json=query)).json()
        return int(answer["data"]["stream"]["count"])

    async def until_stored(self, count: int) -> None:
        async with asyncio.timeout(60):
            while True:
                try:
                    if await self.count() == count:
                        return
                except (KeyError, TypeError):  # not there yet
                    pass
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[Platform]:
    command = ["-m", "aetherops.cli", "up", "--data-dir", str(data_dir), "--port", "0"]
    log_path = data_dir.parent.parent / "platform.log"
    with log_path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.DEVNULL, stderr=log
        )
    try:
        instance = await instance_of(data_dir, process, log_path)
        headers = {"Authorization": f"Bearer {instance.token}"}
        async with httpx.AsyncClient(base_url=instance.url, headers=headers, timeout=30) as client:
            yield Platform(client)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def instance_of(
    data_dir: Path, process: asyncio.subprocess.Process, log_path: Path
) -> Instance:
    async with asyncio.timeout(120):
        while process.returncode is None:
            try:
                instance = read_instance(data_dir)
            except NotRunningError:
                await asyncio.sleep(0.05)
            else:
                if instance.pid == process.pid:
                    return instance
    pytest.fail(f"it ended with {process.returncode}: see {log_path}")


async def test_a_disk_that_fills_takes_ingest_away_and_never_answers_or_a_start(
    disk: Disk,
) -> None:
    data_dir = disk.directory / "data"
    async with running(data_dir) as platform:
        assert (await platform.send(1)).status_code == 202
        await platform.until_stored(1)
        filling = fill(disk, 40)
        refused = await platform.send(2)
        status, told = await platform.ready()

        assert refused.status_code == 503
        assert refused.json()["error"]["dependency"] == "disk"
        assert "the disk is full: " in refused.json()["error"]["message"]
        assert (status, told["questions"], told["ingest"]) == (200, True, False)
        assert "the disk is full: " in told["reasons"][0]

        filling.unlink()
        assert (await platform.send(3)).status_code == 202
        await platform.until_stored(2)
        filling = fill(disk, 0)
        assert await platform.count() == 2

    async with running(data_dir) as platform:  # a start with nothing free
        assert await platform.count() == 2
        assert (await platform.send(4)).status_code == 503
        filling.unlink()
        assert (await platform.send(5)).status_code == 202
        await platform.until_stored(3)
        assert (await platform.ready())[1]["reasons"] == []


async def test_a_disk_that_is_too_small_is_told_with_what_is_missing(disk: Disk) -> None:
    fill(disk, 100)

    with pytest.raises(ServerStartError, match=r"has 100 MiB free: free 28 MiB more of it, or"):
        async with running_servers(Settings(data_dir=disk.directory / "data")):
            pass


async def test_a_queue_without_storage_for_the_backlog_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats, "_MAX_FILE_STORE_BYTES", 512 * MIB)
    given = {"postgres_dsn": "postgresql://elsewhere", "redis_url": "redis://elsewhere"}
    settings = Settings.model_validate({"data_dir": tmp_path, **given})

    async with running_servers(settings) as endpoints, Nats.connect(endpoints.nats_url) as queue:
        with pytest.raises(InvalidInputError, match=r"^AETHEROPS_INGEST_BACKLOG_BYTES: .*less"):
            await prepare_streams(queue, 1024 * MIB)
        await prepare_streams(queue, 200 * MIB)

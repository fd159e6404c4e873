"""A platform of its own for each test, as a real process that tests may kill."""

import asyncio
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import numpy as np
import pytest

from aetherops.archive.codec import MEDIA_TYPE, encode_batch
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.runtime.data_dir.instance import Instance, NotRunningError, read_instance

STREAM = Stream(StreamName("chaos", "sat-1", "value"))
SAMPLES = 500


@dataclass
class Platform:
    """A running `aetherops up`, and a client of it."""

    process: asyncio.subprocess.Process
    instance: Instance
    client: httpx.AsyncClient

    async def ask(self, query):
        """The whole response to a GraphQL query."""
        return await self.client.post("/graphql", json={"query": query})

    async def stored_samples(self):
        """How many samples the test's stream holds."""
        answer = await self.ask(f'{{ stream(name: "{STREAM.name}") {{ count }} }}')
        return int(answer.json()["data"]["stream"]["count"])

    async def wait_until_stored(self, batches):
        """Until each of the batches has a receipt; answers of a platform in trouble are ignored."""
        missing = {str(batch.batch_id) for batch in batches}
        async with asyncio.timeout(90):
            while missing:
                asked = {"batches": sorted(missing)[:500]}
                answer = await self.client.post("/v1/receipts", json=asked)
                if answer.status_code == httpx.codes.OK:
                    missing -= {receipt["batch"] for receipt in answer.json()["receipts"]}
                await asyncio.sleep(0.05)


@dataclass
class Senders:
    """Clients that post batches as fast as they are answered, and note which were accepted."""

    accepted: list[SampleBatch] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    sent: int = 0
    stopping: bool = False

    @asynccontextmanager
    async def sending(self, client, number=4):
        """Send while the block runs, or until the platform is gone."""
        self.stopping = False
        tasks = [asyncio.create_task(self._send(client)) for _ in range(number)]
        try:
            yield
        finally:
            self.stopping = True
            await asyncio.gather(*tasks)

    async def wait_for_accepted(self, more):
        """Until this many more batches have been accepted."""
        wanted = len(self.accepted) + more
        async with asyncio.timeout(60):
            while len(self.accepted) < wanted:
                await asyncio.sleep(0.01)

    async def _send(self, client):
        while not self.stopping:
            times = np.arange(self.sent * SAMPLES, (self.sent + 1) * SAMPLES)
            self.sent += 1
            batch = SampleBatch(uuid4(), (Series(STREAM, Samples.of(times, np.sin(times))),))
            try:
                answer = await client.post(
                    "/v1/telemetry",
                    content=encode_batch(batch),
                    headers={"Content-Type": MEDIA_TYPE},
                )
            except httpx.TransportError:
                return
            self.statuses.append(answer.status_code)
            if answer.status_code == httpx.codes.ACCEPTED:
                self.accepted.append(batch)
            else:
                await asyncio.sleep(0.02)


@pytest.fixture
def senders():
    return Senders()


@pytest.fixture
def start_platform(tmp_path):
    """Starts the platform on the test's directory; it is ended with the block."""

    @asynccontextmanager
    async def start():
        command = ["-m", "aetherops.cli", "up", "--data-dir", str(tmp_path), "--port", "0"]
        with (tmp_path / "platform.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *command, stdout=asyncio.subprocess.DEVNULL, stderr=log
            )
        try:
            instance = await instance_of(tmp_path, process)
            headers = {"Authorization": f"Bearer {instance.token}"}
            async with httpx.AsyncClient(
                base_url=instance.url, headers=headers, timeout=30
            ) as client:
                yield Platform(process, instance, client)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()

    return start


async def instance_of(data_dir, process):
    async with asyncio.timeout(60):
        while process.returncode is None:
            try:
                instance = read_instance(data_dir)
            except NotRunningError:
                instance = None
            if instance is not None and instance.pid == process.pid:
                return instance
            await asyncio.sleep(0.05)
    log = (data_dir / "platform.log").read_text(encoding="utf-8")
    pytest.fail(f"the platform ended with {process.returncode}: {log[-2_000:]}")

"""Publishers and NATS are killed while events are appended: who consumes misses none."""

import asyncio
import json
import os
import random
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import nats.errors
import nats.js.errors
import pytest
from nats.js.api import ConsumerConfig
from workflow_history.processes import Worker

from aetherops.connections.nats import Nats
from aetherops.connections.postgres import Postgres
from aetherops.errors import UnavailableError
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.migrate import migrate
from aetherops.runtime.settings import Settings
from aetherops.workflow import StepStarted, WorkflowCreated
from aetherops.workflow.jetstream import prepare_workflow_stream
from aetherops.workflow.postgres import PostgresEventStore

pytestmark = [pytest.mark.chaos, pytest.mark.integration]

WORKFLOWS = 10
ROUNDS = ("publisher", "nats", "publisher", "nats", "publisher")
APPENDS_A_ROUND = 80
SUBJECT = "aetherops.workflows.*"
# One message at a time, so that what is delivered again comes before what follows it.
DURABLE = ConsumerConfig(ack_wait=1.0, max_ack_pending=1)
NATS_ERRORS = (nats.errors.Error, nats.js.errors.Error, UnavailableError, OSError, TimeoutError)


@pytest.fixture
def directory():
    path = Path(tempfile.mkdtemp(prefix="aetherops-publication-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


class Appender:
    """Appends to its workflows, one event after the other."""

    def __init__(self, store):
        self.store = store
        self.versions = [0] * WORKFLOWS

    async def append(self, events, chance):
        for _ in range(events):
            w = chance.randrange(WORKFLOWS)
            self.versions[w] += 1
            version = self.versions[w]
            name = f"burn {w}.*"
            event = (
                WorkflowCreated(name)
                if version == 1
                else StepStarted(name, version, step=f"s{version}")
            )
            await self.store.append(event)


class Consumer:
    """A durable consumer that at times ends before it has acknowledged what it took."""

    def __init__(self, client, chance):
        self.js = client.js
        self.chance = chance
        self.seen = []
        self.restarts = 0

    async def run(self):
        while True:
            with suppress(*NATS_ERRORS):
                await self.consume()
            self.restarts += 1
            await asyncio.sleep(0.05)

    async def consume(self):
        subscription = await self.js.pull_subscribe(
            SUBJECT, durable="chaos", stream="WORKFLOWS", config=DURABLE
        )
        for _ in range(self.chance.randint(50, 150)):
            [message] = await subscription.fetch(1, timeout=1)
            self.seen.append(json.loads(message.data))
            await message.ack()
        [message] = await subscription.fetch(1, timeout=1)
        self.seen.append(json.loads(message.data))  # and ends


async def test_every_event_is_published_once_and_consumed_in_order_whatever_is_killed(directory):
    chance = random.Random(8)
    settings = Settings(data_dir=directory / "data", redis_url="redis://127.0.0.1:1")
    async with running_servers(settings) as servers:
        async with Postgres.connect(servers.postgres_owner_dsn, pool_size=1) as owner:
            await migrate(owner, runtime_role=urlsplit(servers.postgres_dsn).username)
        async with (
            Postgres.connect(servers.postgres_dsn) as postgres,
            Nats.connect(servers.nats_url) as client,
        ):
            await prepare_workflow_stream(client, 64 << 20)
            addresses = (servers.postgres_dsn, servers.nats_url)
            publishers = [
                Worker("workflow_history.publishing", directory, f"p{i}", addresses)
                for i in range(2)
            ]
            consumer, store = Consumer(client, chance), PostgresEventStore(postgres)
            consuming = asyncio.create_task(consumer.run())
            try:
                for publisher in publishers:
                    await publisher.start()
                await kill_while_appending(Appender(store), publishers, directory, chance)
                stored = await store.read_from(0, 10_000)
                await until_seen(consumer, len(stored))
                stream = [
                    await client.js.get_msg("WORKFLOWS", n) for n in range(1, len(stored) + 1)
                ]
                last = (await client.js.stream_info("WORKFLOWS")).state.last_seq
            finally:
                consuming.cancel()
                for publisher in publishers:
                    await publisher.end()

    assert last == len(stored) == len(ROUNDS) * APPENDS_A_ROUND
    ids = [str(event.event_id) for event in stored]
    assert [json.loads(message.data)["event_id"] for message in stream] == ids
    assert consumer.restarts > 0
    # Each at least once, and never one before all before it.
    newest = 0
    for document in consumer.seen:
        assert document["position"] <= newest + 1
        assert document["event_id"] == ids[document["position"] - 1]
        newest = max(newest, document["position"])
    assert newest == len(stored)


async def kill_while_appending(appender, publishers, directory, chance):
    for victim in ROUNDS:
        appending = asyncio.create_task(appender.append(APPENDS_A_ROUND, chance))
        await asyncio.sleep(chance.uniform(0.05, 0.5))
        if victim == "nats":
            os.kill(int((directory / "data/nats/nats.pid").read_text()), signal.SIGKILL)
        else:
            publisher = chance.choice(publishers)
            await publisher.kill()
            await publisher.start()
        await appending  # whatever NATS does


async def until_seen(consumer, position):
    async with asyncio.timeout(80):
        while not consumer.seen or consumer.seen[-1]["position"] < position:
            await asyncio.sleep(0.05)

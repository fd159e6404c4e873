"""Ingest on real servers: a queue, a store of the test's own, and workers between them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import numpy as np
import pytest

from aetherops.api.application import ApiServices, create_application
from aetherops.archive.jetstream import (
    JetStreamQueue,
    JetStreamRejected,
    JetStreamSource,
    prepare_streams,
)
from aetherops.archive.postgres import PostgresAcceptanceEpochs, PostgresTelemetryStore
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.store import Receipt
from aetherops.archive.stream import Stream, StreamName
from aetherops.connections.nats import Nats
from aetherops.connections.postgres import Postgres
from aetherops.identity.keys import SigningKey
from aetherops.identity.operators import Operator
from aetherops.identity.tokens import TokenIssuer, TokenVerifier
from aetherops.parts.ingest_worker import IngestWorker
from aetherops.runtime.settings import Settings
from aetherops.services.ingest_condition import IngestCondition

STREAM = Stream(StreamName("orbit", "sat-7", "altitude_km"), "km")


@dataclass
class Ingest:
    """A queue and a store, and what goes from one to the other."""

    nats: Nats
    postgres: Postgres
    store: PostgresTelemetryStore
    queue: JetStreamQueue
    rejected: JetStreamRejected
    condition: IngestCondition = field(default_factory=IngestCondition)

    def batch(self, first: int = 0, n: int = 100, factor: float = 0.5) -> SampleBatch:
        """Samples of one stream at `n` instants."""
        times = np.arange(first, first + n)
        return SampleBatch(uuid4(), (Series(STREAM, Samples.of(times, times * factor)),))

    @asynccontextmanager
    async def working(self, store=None, max_tries: int = 3) -> AsyncIterator[IngestWorker]:
        """A worker, until the block ends."""
        worker = IngestWorker(
            JetStreamSource(self.nats, PostgresAcceptanceEpochs(self.postgres)),
            store or self.store,
            8,
            condition=self.condition,
            max_tries=max_tries,
        )
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await task

    async def receipts(
        self, batches: Sequence[SampleBatch], timeout_s: float = 30
    ) -> list[Receipt]:
        """The receipts of all of them, as soon as there are so many."""
        ids = [batch.batch_id for batch in batches]
        async with asyncio.timeout(timeout_s):
            while len(found := await self.store.receipts(ids)) < len(ids):
                await asyncio.sleep(0.02)
        return found


@pytest.fixture
async def ingest(guarded_nats: Nats, postgres: Postgres) -> Ingest:
    await prepare_streams(guarded_nats, 64 * 2**20)
    return Ingest(
        guarded_nats,
        postgres,
        PostgresTelemetryStore(postgres),
        JetStreamQueue(guarded_nats),
        JetStreamRejected(guarded_nats),
    )


@pytest.fixture
def eventually():
    """Wait until something holds, at most half a minute."""

    async def wait(holds) -> None:
        async with asyncio.timeout(30):
            while True:
                outcome = holds()
                if asyncio.iscoroutine(outcome):
                    outcome = await outcome
                if outcome:
                    return
                await asyncio.sleep(0.02)

    return wait


@pytest.fixture
async def client(ingest: Ingest) -> AsyncIterator[httpx.AsyncClient]:
    """The HTTP application over this queue and store."""
    key = SigningKey.generate()
    services = ApiServices(
        store=ingest.store,
        intake=ingest.queue,
        verifier=TokenVerifier([key.verifying_key]),
        readiness=dict,
        settings=Settings(),
    )
    token = TokenIssuer(key).issue(Operator("op", "Ada", frozenset({"operator"})), 600, time.time())
    transport = httpx.ASGITransport(create_application(services))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://platform", headers=headers
    ) as client:
        yield client

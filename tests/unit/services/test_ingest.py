"""What ingest charges, keeps and tells."""

from __future__ import annotations

from uuid import uuid4

import pytest

from aetherops.archive.memory import MemoryTelemetryStore
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.store import AcceptedBatch, Receipt
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import RefusedError
from aetherops.services.ingest import TelemetryIngest

STREAM = Stream(StreamName("orbit", "sat-7", "altitude_km"))


class StoringQueue:
    def __init__(self, store: MemoryTelemetryStore) -> None:
        self._store = store

    async def put(self, batch: SampleBatch) -> None:
        await self._store.write([AcceptedBatch(batch, 1)])


class Purse:
    """A meter with so much in it."""

    def __init__(self, left: int) -> None:
        self.left = left

    async def charge(self, cost: int) -> None:
        if cost > self.left:
            raise RefusedError("nothing left")
        self.left -= cost


def batch_of(n: int) -> SampleBatch:
    return SampleBatch(uuid4(), (Series(STREAM, Samples.of(range(n), [0.5] * n)),))


@pytest.fixture
def store() -> MemoryTelemetryStore:
    return MemoryTelemetryStore()


@pytest.fixture
def ingest(store: MemoryTelemetryStore) -> TelemetryIngest:
    return TelemetryIngest(StoringQueue(store), store)


async def test_a_batch_costs_its_samples_and_has_a_receipt_once_it_is_stored(ingest) -> None:
    purse, batch = Purse(10), batch_of(7)

    await ingest.accept(batch, purse)

    assert purse.left == 3
    assert await ingest.receipts([batch.batch_id, uuid4()]) == [Receipt(batch.batch_id, 7, 0, 0)]


async def test_a_batch_that_is_not_paid_for_is_not_kept(ingest, store) -> None:
    with pytest.raises(RefusedError):
        await ingest.accept(batch_of(7), Purse(6))

    assert await store.streams() == []

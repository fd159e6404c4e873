"""From acceptance to the store: nothing accepted is lost, nothing is stored twice."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import msgspec
import numpy as np
import pytest

from aetherops.archive.codec import decode_batch, encode_batch
from aetherops.archive.intake import BacklogFullError
from aetherops.archive.jetstream import JetStreamQueue, JetStreamSource, prepare_streams
from aetherops.archive.postgres import PostgresAcceptanceEpochs, PostgresTelemetryStore
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import UnavailableError
from aetherops.parts.ingest_worker import IngestWorker

pytestmark = pytest.mark.integration

STREAM = Stream(StreamName("orbit", "sat-7", "altitude_km"), "km")


def batch_of(first, n=100):
    times = np.arange(first, first + n)
    return SampleBatch(uuid4(), (Series(STREAM, Samples.of(times, times * 0.5)),))


@pytest.fixture
def nats(guarded_nats):
    return guarded_nats


@pytest.fixture
async def store(postgres):
    return PostgresTelemetryStore(postgres)


@pytest.fixture
async def queue(nats):
    await prepare_streams(nats, 64 * 2**20)
    return JetStreamQueue(nats)


def source_of(nats, store):
    return JetStreamSource(nats, PostgresAcceptanceEpochs(store._postgres))


@asynccontextmanager
async def running(worker):
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task


async def all_receipts(store, batches):
    ids = [batch.batch_id for batch in batches]
    async with asyncio.timeout(30):
        while len(receipts := await store.receipts(ids)) < len(ids):
            await asyncio.sleep(0.02)
    return receipts


async def backlog(nats):
    return (await nats.js.stream_info("TELEMETRY")).state.messages


async def test_accepted_batches_reach_the_store_and_leave_the_queue(nats, queue, store):
    batches = [batch_of(i * 100) for i in range(20)]
    for batch in batches:
        await queue.put(batch)

    async with running(IngestWorker(source_of(nats, store), store, 8)):
        receipts = await all_receipts(store, batches)

    assert sum(receipt.stored for receipt in receipts) == 2_000
    assert (await store.find(STREAM.name)).count == 2_000
    await nats.client.flush()
    assert await backlog(nats) == 0


async def test_a_batch_sent_again_is_stored_once(nats, queue, store):
    batch = batch_of(0)
    async with running(IngestWorker(source_of(nats, store), store, 8)):
        await queue.put(batch)
        await all_receipts(store, [batch])
        await queue.put(batch)
        await queue.put(other := batch_of(1_000))
        await all_receipts(store, [other])

    assert (await store.find(STREAM.name)).count == 200


async def test_several_workers_share_the_batches_and_store_each_once(nats, queue, store):
    batches = [batch_of(i * 60) for i in range(60)]
    workers = [IngestWorker(source_of(nats, store), store, 4) for _ in range(3)]
    async with running(workers[0]), running(workers[1]), running(workers[2]):
        for batch in batches:
            await queue.put(batch)
        await all_receipts(store, batches)

    samples = await store.read(STREAM.name, 0, 10_000)
    assert samples.times_us.tolist() == list(range(59 * 60 + 100))


class Flaky:
    """A store that is away for its first writes; everything else is the real one."""

    def __init__(self, store, failures):
        self._store = store
        self.failures = failures

    async def write(self, batches):
        if self.failures:
            self.failures -= 1
            raise UnavailableError("postgres", 0.01)
        return await self._store.write(batches)


async def test_a_store_that_is_away_is_waited_for_and_nothing_is_lost(nats, queue, store):
    batch = batch_of(0)
    await queue.put(batch)
    async with running(IngestWorker(source_of(nats, store), Flaky(store, 3), 8)):
        (receipt,) = await all_receipts(store, [batch])

    assert receipt.stored == 100


async def test_what_was_taken_and_not_acknowledged_is_delivered_again(nats, queue, store):
    batch = batch_of(0)
    await queue.put(batch)
    (taken,) = await source_of(nats, store).take(1, 2.0)
    assert taken.accepted.batch.batch_id == batch.batch_id
    assert await backlog(nats) == 1

    await taken._message.nak()
    async with running(IngestWorker(source_of(nats, store), store, 8)):
        (receipt,) = await all_receipts(store, [batch])

    assert receipt.stored == 100


async def test_a_message_that_is_no_batch_is_set_aside_and_does_not_hold_up_others(
    nats, queue, store
):
    jetstream = nats.js
    await jetstream.publish("telemetry.batch", b"not a batch")
    batch = batch_of(0)
    await queue.put(batch)

    async with running(IngestWorker(source_of(nats, store), store, 8)):
        await all_receipts(store, [batch])

    aside = await jetstream.get_msg("TELEMETRY_REJECTED", 1)
    assert aside.data == b"not a batch"
    assert "MessagePack" in aside.headers["Rejected-Because"]


async def test_an_empty_series_in_the_queue_is_left_out_and_the_rest_is_stored(nats, queue, store):
    batch = batch_of(0)
    wire = msgspec.msgpack.decode(encode_batch(batch))
    wire["series"].insert(0, wire["series"][0] | {"name": "a/b/c", "times": b"", "values": b""})
    wire["series"][0]["crc"] = 0
    await nats.js.publish("telemetry.batch", msgspec.msgpack.encode(wire))

    async with running(IngestWorker(source_of(nats, store), store, 8)):
        (receipt,) = await all_receipts(store, [batch])

    assert receipt.stored == 100
    assert [record.stream.name for record in await store.streams()] == [STREAM.name]


async def test_a_batch_that_came_in_bytes_waits_in_the_queue_as_those_bytes(nats, queue):
    # Another writer of the format need not order its keys as we do.
    wire = msgspec.msgpack.decode(encode_batch(batch_of(0)))
    data = msgspec.msgpack.encode(dict(reversed(wire.items())))

    await queue.put(decode_batch(data))

    assert (await nats.js.get_msg("TELEMETRY", 1)).data == data


class Listener:
    """Hears of stored batches."""

    def __init__(self):
        self.heard = []

    def announce(self, stored):
        self.heard += [one.batch.batch_id for one in stored]


async def test_what_is_stored_is_announced_once_it_is_committed(nats, queue, store):
    class Committed(Flaky):
        async def write(self, batches):
            assert not listener.heard
            return await super().write(batches)

    listener, batches = Listener(), [batch_of(0), batch_of(1_000)]
    for batch in batches:
        await queue.put(batch)
    source = source_of(nats, store)
    async with running(IngestWorker(source, Committed(store, 1), 8, listener)):
        await all_receipts(store, batches)
        async with asyncio.timeout(10):
            while len(listener.heard) < 2:
                await asyncio.sleep(0.01)

    assert listener.heard == [batch.batch_id for batch in batches]


async def test_a_listener_that_fails_keeps_nothing_from_being_acknowledged(nats, queue, store):
    class Deaf:
        def announce(self, stored):
            raise RuntimeError("not listening")

    await queue.put(batch := batch_of(0))
    async with running(IngestWorker(source_of(nats, store), store, 8, Deaf())):
        await all_receipts(store, [batch])

    await nats.client.flush()
    assert await backlog(nats) == 0


async def test_a_full_queue_refuses_new_batches_and_keeps_the_old(nats, store):
    await prepare_streams(nats, 2**20)
    queue = JetStreamQueue(nats)
    kept = []

    async def fill():
        for i in range(100):
            batch = batch_of(i * 5_000, 5_000)
            await queue.put(batch)
            kept.append(batch)

    with pytest.raises(BacklogFullError, match="ingest backlog is full, try again in 5 s"):
        await fill()

    async with running(IngestWorker(source_of(nats, store), store, 8)):
        receipts = await all_receipts(store, kept)

    assert len(kept) > 5
    assert sum(receipt.stored for receipt in receipts) == 5_000 * len(kept)

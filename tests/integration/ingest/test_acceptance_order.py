"""Later corrections win, whatever clocks say and whatever becomes of the queue."""

from __future__ import annotations

import asyncio

import pytest

from aetherops.archive.acceptance import FIRST_EPOCH, Epoch, version_of
from aetherops.archive.jetstream import JetStreamSource, prepare_streams
from aetherops.archive.postgres import PostgresAcceptanceEpochs
from aetherops.archive.store import AcceptedBatch
from aetherops.instants import parse_us

pytestmark = pytest.mark.integration


@pytest.fixture
def epochs(ingest):
    return PostgresAcceptanceEpochs(ingest.postgres)


async def value(ingest) -> float:
    samples = await ingest.store.read(ingest.batch().series[0].stream.name, 1, 2)
    return float(samples.values[0])


async def correct(ingest, factor):
    batch = ingest.batch(1, 1, factor)
    await ingest.queue.put(batch)
    (receipt,) = await ingest.receipts([batch])
    return receipt


async def test_corrections_win_over_values_of_a_clock_that_was_ahead(ingest):
    of_a_clock = parse_us("2040-01-01T00:00:00Z") << 10
    await ingest.store.write([AcceptedBatch(ingest.batch(1, 1, 7.0), of_a_clock)])

    async with ingest.working():
        receipts = [await correct(ingest, factor) for factor in (2.0, 3.0)]

    assert [receipt.corrected for receipt in receipts] == [1, 1]
    assert await value(ingest) == 3.0


async def test_versions_are_the_epoch_and_the_sequence_of_the_queue(ingest, epochs):
    for _ in range(3):
        await ingest.queue.put(ingest.batch())
    taken = await JetStreamSource(ingest.nats, epochs).take(8, 2.0)

    versions = [delivery.accepted.version for delivery in taken]
    assert versions == [version_of(FIRST_EPOCH, sequence) for sequence in (1, 2, 3)]


async def test_corrections_win_after_the_queue_was_made_anew_beneath_the_workers(ingest, epochs):
    async with ingest.working(), ingest.working():
        for factor in (1.0, 2.0, 3.0):
            await correct(ingest, factor)
        await ingest.nats.js.delete_stream("TELEMETRY")
        await prepare_streams(ingest.nats, 64 * 2**20)
        receipts = [await correct(ingest, factor) for factor in (4.0, 5.0)]

    assert [receipt.corrected for receipt in receipts] == [1, 1]
    assert await value(ingest) == 5.0
    latest = await epochs.latest()
    assert latest is not None
    assert (latest.number, latest.stored) == (FIRST_EPOCH + 1, 2)


async def test_a_queue_that_forgot_what_it_took_begins_an_epoch(ingest, epochs):
    async with ingest.working():
        for factor in (1.0, 2.0, 3.0):
            await correct(ingest, factor)
    await ingest.postgres.pool.execute("UPDATE acceptance_progress SET sequence = sequence + 5")

    async with ingest.working():
        await correct(ingest, 4.0)

    assert await value(ingest) == 4.0
    assert (await epochs.latest()).number == FIRST_EPOCH + 1


async def test_restarts_and_further_workers_stay_in_the_epoch(ingest, epochs):
    for i in range(4):
        async with ingest.working(), ingest.working():
            await correct(ingest, float(i))

    latest = await epochs.latest()
    assert (latest.number, latest.stored) == (FIRST_EPOCH, 4)


async def test_workers_that_find_a_queue_new_at_once_begin_one_epoch(epochs):
    await asyncio.gather(*(epochs.open("a queue", None) for _ in range(8)))
    first = await epochs.latest()
    await asyncio.gather(*(epochs.open("another", first) for _ in range(8)))

    assert first == Epoch(FIRST_EPOCH, "a queue", 0)
    assert await epochs.latest() == Epoch(FIRST_EPOCH + 1, "another", 0)


async def test_a_correction_that_lost_is_counted_as_one_that_changed_nothing(ingest):
    late, early = ingest.batch(1, 1, 2.0), ingest.batch(1, 1, 1.0)
    await ingest.store.write([AcceptedBatch(late, version_of(FIRST_EPOCH, 9))])
    (receipt,) = await ingest.store.write([AcceptedBatch(early, version_of(FIRST_EPOCH, 8))])

    assert (receipt.stored, receipt.duplicates, receipt.corrected) == (0, 1, 0)
    assert await value(ingest) == 2.0

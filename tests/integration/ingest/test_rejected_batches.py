"""Batches that cannot be written: set aside with their reason, replayed where they stood."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from aetherops.archive.codec import encode_batch
from aetherops.errors import NotFoundError, UnavailableError

pytestmark = pytest.mark.integration


class Refusing:
    """A store that cannot write some batches; everything else is the real one."""

    def __init__(self, store, refused, error):
        self._store, self._error = store, error
        self.refusals = 0
        self.refused = {batch.batch_id for batch in refused}

    async def write(self, batches):
        if any(accepted.batch.batch_id in self.refused for accepted in batches):
            self.refusals += 1
            raise self._error
        return await self._store.write(batches)


async def test_what_cannot_be_written_is_set_aside_after_its_tries_and_told_once(
    ingest, eventually
):
    bad, good = ingest.batch(0), [ingest.batch(i * 100) for i in range(1, 5)]
    for batch in [bad, *good]:
        await ingest.queue.put(batch)

    with capture_logs() as logs:
        async with ingest.working(Refusing(ingest.store, [bad], ValueError("no way"))):
            await ingest.receipts(good)
            await eventually(ingest.rejected.count)

    (one,) = await ingest.rejected.list()
    assert one.reason == "ValueError: no way"
    assert one.data == encode_batch(bad)
    told = [line["event"] for line in logs if line["event"].startswith("batch_")]
    assert told == ["batch_not_stored", "batch_rejected"]
    await eventually(lambda: _is_empty(ingest))
    condition = await ingest.queue.condition()
    assert (condition.rejected, condition.rejections) == (1, 1)
    assert condition.deliveries >= 3 + len(good)


async def test_nothing_is_set_aside_while_the_store_is_merely_away(ingest, eventually):
    batch = ingest.batch()
    await ingest.queue.put(batch)
    store = Refusing(ingest.store, [batch], UnavailableError("postgres", 0.01))
    async with ingest.working(store, max_tries=1):
        await eventually(lambda: store.refusals > 3)
        store.refused.clear()
        await ingest.receipts([batch])

    assert await ingest.rejected.count() == 0


async def test_more_of_them_than_may_be_in_hand_do_not_stop_ingest(ingest):
    bad = [ingest.batch(i) for i in range(4_200)]
    for first in range(0, len(bad), 300):
        await asyncio.gather(*(ingest.queue.put(one) for one in bad[first : first + 300]))
    await ingest.queue.put(good := ingest.batch(10_000))

    store = Refusing(ingest.store, bad, ValueError("no way"))
    async with ingest.working(store, max_tries=2), ingest.working(store, max_tries=2):
        await ingest.receipts([good], 90)


async def test_a_replayed_batch_is_stored_where_it_stood_in_the_order(ingest, eventually):
    first, later = ingest.batch(0, factor=1.0), ingest.batch(0, factor=2.0)
    await ingest.queue.put(first)
    async with ingest.working(Refusing(ingest.store, [first], ValueError("full moon"))):
        await eventually(ingest.rejected.count)
    async with ingest.working():
        await ingest.queue.put(later)
        await ingest.receipts([later])
        await ingest.rejected.replay(1)
        await ingest.receipts([first])

    samples = await ingest.store.read(first.series[0].stream.name, 0, 100)
    assert samples.values.tolist() == later.series[0].samples.values.tolist()
    assert await ingest.rejected.count() == 0


async def test_a_dropped_batch_is_gone_and_an_unknown_one_is_named(ingest, eventually):
    await ingest.nats.js.publish("telemetry.batch", b"not a batch")
    async with ingest.working():
        await eventually(ingest.rejected.count)

    await ingest.rejected.drop(1)

    assert await ingest.rejected.count() == 0
    for act in (ingest.rejected.get, ingest.rejected.replay, ingest.rejected.drop):
        with pytest.raises(NotFoundError, match="no rejected batch is named '1'"):
            await act(1)


async def test_a_reason_of_any_length_and_language_fits_beside_the_batch(ingest, eventually):
    batch = ingest.batch()
    await ingest.queue.put(batch)
    async with ingest.working(Refusing(ingest.store, [batch], ValueError("é\n" * 9_000))):
        await eventually(ingest.rejected.count)

    (one,) = await ingest.rejected.list()
    assert one.reason.startswith("ValueError: \\xe9 \\xe9")
    assert len(one.reason) == 500


async def _is_empty(ingest) -> bool:
    return (await ingest.queue.backlog()).batches == 0

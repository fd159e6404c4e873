"""Messages that wait are pulled together, at once, within a number and a size."""

import asyncio
import time

import pytest

from aetherops.archive.jetstream.pull import Pull
from aetherops.archive.jetstream.streams import STREAM, SUBJECT
from aetherops.errors import UnavailableError

pytestmark = pytest.mark.integration

LONG_S = 20.0


async def put(ingest, *messages: bytes):
    for message in messages:
        await ingest.nats.js.publish(SUBJECT, message)


async def pulled(pull, limit=100, wait_s=LONG_S):
    messages = await pull.fetch(limit, wait_s)
    for message in messages:
        await message.ack()
    return [message.data for message in messages]


async def test_what_waits_comes_together_and_nobody_waits_for_more(ingest):
    pull = Pull(ingest.nats)
    await put(ingest, b"1", b"2", b"3")

    begin = time.monotonic()
    assert await pulled(pull) == [b"1", b"2", b"3"]
    assert time.monotonic() - begin < LONG_S / 2


async def test_a_message_that_comes_while_one_waits_is_there_at_once(ingest):
    pull = Pull(ingest.nats)
    waiting = asyncio.create_task(pulled(pull))
    await asyncio.sleep(0.2)

    begin = time.monotonic()
    await put(ingest, b"1")
    assert await waiting == [b"1"]
    assert time.monotonic() - begin < LONG_S / 2


async def test_no_more_come_than_were_asked_for(ingest):
    pull = Pull(ingest.nats)
    await put(ingest, b"1", b"2", b"3")

    assert await pulled(pull, limit=2) == [b"1", b"2"]
    assert await pulled(pull, limit=1) == [b"3"]


async def test_none_come_when_there_are_none(ingest):
    assert await pulled(Pull(ingest.nats), wait_s=0.3) == []


async def test_what_comes_at_once_is_bounded_in_bytes_and_a_larger_message_comes_alone(ingest):
    pull = Pull(ingest.nats, max_bytes=1_000)
    small, large = b"s" * 300, b"l" * 5_000
    await put(ingest, small, small, small, large, small)

    pulls = []
    while sum(map(len, pulls)) < 5:
        pulls.append([len(data) for data in await pulled(pull)])

    assert [size for sizes in pulls for size in sizes] == [300, 300, 300, 5_000, 300]
    assert [5_000] in pulls
    assert all(sum(sizes) <= 1_000 for sizes in pulls if sizes != [5_000])


async def test_workers_that_share_one_lose_and_double_nothing(ingest):
    pull, found = Pull(ingest.nats, pace_s=0.01), []

    async def work():
        while len(found) < 300:
            found.extend(await pulled(pull, limit=7, wait_s=0.2))

    workers = [asyncio.create_task(work()) for _ in range(3)]
    sent = [str(i).encode() for i in range(300)]
    await put(ingest, *sent)
    await asyncio.gather(*workers)

    assert sorted(found) == sorted(sent)


async def test_a_consumer_that_is_gone_is_told(ingest):
    pull = Pull(ingest.nats)
    await ingest.nats.js.delete_consumer(STREAM, "store")

    with pytest.raises(UnavailableError):
        async with ingest.nats.guarded():
            await pull.fetch(10, 1.0)

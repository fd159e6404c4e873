"""A batch of very many series keeps nobody else in the process waiting."""

import asyncio
import time
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import numpy as np
import pytest

from aetherops.archive.codec import MEDIA_TYPE, encode_batch
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName

pytestmark = [pytest.mark.integration, pytest.mark.alone]

SERIES = 30_000


@asynccontextmanager
async def delays():
    """How late the loop came to a task of a millisecond, each time."""
    found: list[float] = []

    async def tick():
        while True:
            due = time.perf_counter() + 0.001
            await asyncio.sleep(0.001)
            found.append(time.perf_counter() - due)

    task = asyncio.create_task(tick())
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def batch_of(series: int) -> SampleBatch:
    times = np.arange(2)
    return SampleBatch(
        uuid4(),
        tuple(
            Series(Stream(StreamName("bench", f"sat-{i}", "walk")), Samples.of(times + i, times))
            for i in range(series)
        ),
    )


async def test_the_loop_runs_on_while_a_batch_of_many_series_is_taken_and_stored(
    ingest, client: httpx.AsyncClient
):
    batch = batch_of(SERIES)
    body, headers = encode_batch(batch), {"Content-Type": MEDIA_TYPE}
    begin = time.perf_counter()
    async with ingest.working(), delays() as late:
        answer = await client.post("/v1/telemetry", content=body, headers=headers)
        (receipt,) = await ingest.receipts([batch], timeout_s=120)
    took_s = time.perf_counter() - begin

    assert answer.status_code == 202
    assert receipt.stored == 2 * SERIES
    # Done on the loop, gathering and placing alone were a sixth of it.
    assert max(late) < took_s / 12

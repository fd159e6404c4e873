"""Samples on their way to the platform: cut into batches, sent, and followed until stored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self
from uuid import uuid4

import numpy as np

from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.cli.ingest.receipts import ReceiptFollower, Stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from aetherops.archive.stream import Stream
    from aetherops.cli.client import Client

__all__ = ["BATCH_SAMPLES", "Upload"]

BATCH_SAMPLES = 8_192

_IN_FLIGHT = 4
_FULL_PAUSE_S = 0.1


class Upload:
    """Sends samples of one stream in batches; an asynchronous context manager.

    Of two values at one instant the later in the file counts, and the platform goes by the
    order of acceptance. So a batch that reaches back in time waits for those before it;
    all others travel side by side.

    Parameters
    ----------
    client : an open client.
    stream : what the samples are of.
    report : told whenever something more is stored.
    """

    def __init__(
        self, client: Client, stream: Stream, report: Callable[[Stored], None] = lambda _: None
    ) -> None:
        self._client = client
        self._stream = stream
        self._follower = ReceiptFollower(client, report)
        self._following: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self._waiting = _WaitingSamples()
        self._latest_us: int | None = None

    async def __aenter__(self) -> Self:
        self._following = asyncio.create_task(self._follower.run(), name="follow-receipts")
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = {*self._sending, self._following} - {None}
        for task in tasks:
            assert task is not None
            task.cancel()
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)

    async def add(self, samples: Samples) -> None:
        """Send samples as soon as they fill batches; waits while too much is under way."""
        for part in self._waiting.add(samples):
            await self._send(part)

    async def finish(self) -> Stored:
        """Send the rest, and wait until everything is stored."""
        rest = self._waiting.take()
        if len(rest):
            await self._send(rest)
        while self._sending:
            await self._await_one()
        self._follower.close()
        assert self._following is not None
        await self._following
        return self._follower.stored

    async def _send(self, samples: Samples) -> None:
        first, last = int(samples.times_us.min()), int(samples.times_us.max())
        reaches_back = self._latest_us is not None and first <= self._latest_us
        while len(self._sending) >= (1 if reaches_back else _IN_FLIGHT):
            await self._await_one()
        while self._follower.is_full:
            self._check_follower()
            await asyncio.sleep(_FULL_PAUSE_S)
        self._latest_us = last if self._latest_us is None else max(last, self._latest_us)
        batch = SampleBatch(uuid4(), (Series(self._stream, samples),))
        self._sending.add(asyncio.create_task(self._deliver(batch), name="send-batch"))

    async def _deliver(self, batch: SampleBatch) -> None:
        await self._client.send(batch)
        self._follower.add(batch.batch_id, len(batch))

    async def _await_one(self) -> None:
        self._check_follower()
        done, self._sending = await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    def _check_follower(self) -> None:
        """Raise what ended the follower, if anything did."""
        if self._following is not None and self._following.done():
            self._following.result()


class _WaitingSamples:
    """Samples that wait to fill a batch."""

    def __init__(self) -> None:
        self._parts: list[Samples] = []
        self._count = 0

    def add(self, samples: Samples) -> list[Samples]:
        """The batches that are full now, in order."""
        self._parts.append(samples)
        self._count += len(samples)
        if self._count < BATCH_SAMPLES:
            return []
        joined = self.take()
        whole = len(joined) // BATCH_SAMPLES * BATCH_SAMPLES
        self._parts, self._count = [joined[whole:]], len(joined) - whole
        return [joined[at : at + BATCH_SAMPLES] for at in range(0, whole, BATCH_SAMPLES)]

    def take(self) -> Samples:
        """All that waits."""
        parts, self._parts, self._count = self._parts, [], 0
        if not parts:
            return Samples.empty()
        return Samples(
            np.concatenate([part.times_us for part in parts]),
            np.concatenate([part.values for part in parts]),
        )

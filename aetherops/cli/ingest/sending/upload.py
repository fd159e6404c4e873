"""Samples on their way to the platform: cut into batches, sent, and followed until stored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from aetherops.archive.samples import SampleBatch, Series
from aetherops.cli.ingest.sending.receipts import ReceiptFollower, Stored
from aetherops.cli.ingest.sending.waiting import BATCH_SAMPLES, WaitingSamples
from aetherops.errors import LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aetherops.archive.samples import Samples
    from aetherops.archive.stream import Stream, StreamName
    from aetherops.cli.client import Client

__all__ = ["BATCH_SAMPLES", "Upload"]

_IN_FLIGHT = 4
_FULL_PAUSE_S = 0.1


class Upload:
    """Sends samples in batches; an asynchronous context manager.

    Of two values at one instant the later in the file counts, and the platform goes by the
    order of acceptance. So a batch that reaches back in time of a stream waits for those
    before it; all others travel side by side.

    Parameters
    ----------
    client : an open client.
    stream : what samples are of, unless `add` says otherwise.
    report : told whenever something more is stored.
    """

    def __init__(
        self,
        client: Client,
        stream: Stream | None = None,
        report: Callable[[Stored], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._stream = stream
        self._follower = ReceiptFollower(client, report)
        self._following: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self._waiting = WaitingSamples()
        self._latest_us: dict[StreamName, int] = {}

    async def __aenter__(self) -> Self:
        self._following = asyncio.create_task(self._follower.run(), name="follow-receipts")
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = {*self._sending, self._following} - {None}
        for task in tasks:
            assert task is not None
            task.cancel()
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)

    async def add(self, samples: Samples, stream: Stream | None = None) -> None:
        """Send samples as soon as they fill batches; waits while too much is under way."""
        stream = stream or self._stream
        assert stream is not None
        self._waiting.add(stream, samples)
        while batch := self._waiting.take_full():
            await self._send(batch)

    async def flush(self) -> None:
        """Send what waits to fill a batch."""
        while rest := self._waiting.take_rest():
            await self._send(rest)

    async def finish(self) -> Stored:
        """Send the rest, and wait until everything is stored."""
        await self.flush()
        while self._sending:
            await self._await_one()
        self._follower.close()
        assert self._following is not None
        await self._following
        return self._follower.stored

    async def _send(self, series: tuple[Series, ...]) -> None:
        reaches_back = False
        for one in series:
            times, name = one.samples.times_us, one.stream.name
            latest_us = self._latest_us.get(name)
            reaches_back |= latest_us is not None and int(times.min()) <= latest_us
            last_us = int(times.max())
            self._latest_us[name] = last_us if latest_us is None else max(last_us, latest_us)
        while len(self._sending) >= (1 if reaches_back else _IN_FLIGHT):
            await self._await_one()
        while self._follower.is_full:
            self._check_follower()
            await asyncio.sleep(_FULL_PAUSE_S)
        self._sending.add(asyncio.create_task(self._deliver(series), name="send-batch"))

    async def _deliver(self, series: tuple[Series, ...]) -> None:
        """Send samples as one batch, or as several in their order if the server says less."""
        batch = SampleBatch(uuid4(), series)
        try:
            await self._client.send(batch)
        except LimitExceededError as error:
            if len(batch) == 1:
                raise
            for part in self._cut(series, error):
                await self._deliver(part)
        else:
            self._follower.add(batch.batch_id, len(batch))

    def _cut(
        self, series: tuple[Series, ...], error: LimitExceededError
    ) -> Iterator[tuple[Series, ...]]:
        """Parts of a batch that a server's limit lets through; later batches are of their size."""
        count = sum(len(one.samples) for one in series)
        fitting = int(0.9 * count * error.limit / max(error.asked, 1))
        size = max(1, min(fitting, count // 2))
        self._waiting.batch_samples = min(size, self._waiting.batch_samples)
        parts = WaitingSamples(size)
        for one in series:
            parts.add(one.stream, one.samples)
        while part := parts.take_rest():
            yield part

    async def _await_one(self) -> None:
        self._check_follower()
        done, self._sending = await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)
        # All are looked at, lest an exception that nobody asked for is reported at exit.
        for error in [task.exception() for task in done]:
            if error is not None:
                raise error

    def _check_follower(self) -> None:
        """Raise what ended the follower, if anything did."""
        if self._following is not None and self._following.done():
            self._following.result()

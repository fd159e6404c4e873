"""The demonstration feed: a day back, then live; whole blocks repeat when it starts again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from aetherops.archive.samples import SampleBatch
from aetherops.demo.constellation import BLOCK_SAMPLES, Constellation
from aetherops.demo.feed import DemoFeed
from aetherops.errors import UnavailableError
from aetherops.instants import parse_us

SECOND_US = 1_000_000
BLOCK_US = BLOCK_SAMPLES * SECOND_US
NOON_US = parse_us("2026-05-09T12:00:00Z")


class RecordingIntake:
    """Keeps what it is given and stops the feed at so many; refuses the first `refusals` times."""

    def __init__(self, wanted: int, refusals: int = 0) -> None:
        self.batches: list[SampleBatch] = []
        self.refusals = refusals
        self.feed: DemoFeed | None = None
        self._wanted = wanted

    async def put(self, batch: SampleBatch) -> None:
        if self.refusals:
            self.refusals -= 1
            raise UnavailableError("nats", 0.001)
        self.batches.append(batch)
        if self.feed is not None and len(self.batches) == self._wanted:
            self.feed.stop()


async def run_feed(intake: RecordingIntake, now_us: Callable[[], int], blocks: int, fleet: int):
    """Run a feed over a few satellites until the intake stops it."""
    satellites = Constellation(Constellation.default().satellites[:fleet])
    intake.feed = DemoFeed(
        intake,
        now_us,
        constellation=satellites,
        history_us=blocks * BLOCK_US,
        live_period_s=0.001,
    )
    async with asyncio.timeout(30):
        await intake.feed.run()


async def test_the_past_comes_first_and_then_the_present() -> None:
    intake = RecordingIntake(wanted=2 + 2 + 4, refusals=3)
    clock = iter(range(NOON_US, NOON_US + 100 * SECOND_US, 2 * SECOND_US))
    await run_feed(intake, lambda: next(clock), blocks=1, fleet=2)
    times = np.concatenate(
        [
            batch.series[0].samples.times_us
            for batch in intake.batches
            if "vanguard" in str(batch.series[0].stream.name)
        ]
    )
    assert (np.diff(times) == SECOND_US).all()
    assert times[0] == (NOON_US - BLOCK_US) // BLOCK_US * BLOCK_US
    assert times[-1] >= NOON_US


async def test_a_feed_that_starts_again_repeats_its_whole_blocks() -> None:
    runs = []
    for now_us in (NOON_US, NOON_US + 1_000 * SECOND_US):
        intake = RecordingIntake(wanted=3)
        await run_feed(intake, lambda now_us=now_us: now_us, blocks=2, fleet=1)
        runs.append([batch.batch_id for batch in intake.batches])
    assert runs[0][:2] == runs[1][:2]
    assert runs[0][2] != runs[1][2]


async def test_a_feed_stops_while_its_intake_is_away() -> None:
    intake = RecordingIntake(wanted=1, refusals=10**9)
    feed = DemoFeed(intake, lambda: NOON_US)
    task = asyncio.create_task(feed.run())
    while intake.refusals == 10**9:
        await asyncio.sleep(0)
    feed.stop()
    async with asyncio.timeout(10):
        await task
    assert intake.batches == []

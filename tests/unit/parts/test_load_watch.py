"""Limits follow the ingest backlog: halved when it fills, relaxed when it is empty."""

import asyncio

from aetherops.archive.intake import Backlog
from aetherops.errors import UnavailableError
from aetherops.parts.load_watch import LoadWatch
from aetherops.ratelimit import TokenBucket
from aetherops.ratelimit.load.adaptive import AdaptiveLimits


class Queue:
    def __init__(self, *readings):
        self._readings = list(readings)

    async def backlog(self):
        reading = self._readings.pop(0)
        if isinstance(reading, Exception):
            raise reading
        return reading


def backlog(share, taken=1_000):
    return Backlog(
        batches=int(100 * share), bytes=int(1_000 * share), limit_bytes=1_000, taken=taken
    )


class Clock:
    now_us = 0

    def __call__(self):
        self.now_us += 3_000_000
        return self.now_us


def watch_of(queue, factors):
    limits = AdaptiveLimits([TokenBucket(1_000, 100)])
    watch = LoadWatch(queue, limits, factors.append, period_s=0.001, clock_us=Clock())
    return watch, limits


async def test_a_full_backlog_halves_the_limits_and_an_empty_one_relaxes_them():
    factors = []
    watch, limits = watch_of(Queue(), factors)

    for share in (0.9, 0.6, 0.0):
        watch.observe(backlog(share))

    assert factors[0] == 0.5
    assert limits.factor_permille > 500
    assert factors[-1] == limits.factor_permille / 1000


async def test_a_reading_that_fails_changes_nothing_and_watching_goes_on():
    factors = []
    queue = Queue(UnavailableError("nats"), backlog(0.9), UnavailableError("nats"))
    watch, limits = watch_of(queue, factors)

    task = asyncio.create_task(watch.run())
    while not factors:
        await asyncio.sleep(0)
    watch.stop()
    await task

    assert limits.factor_permille == 500


async def test_a_queue_without_a_limit_is_never_full():
    factors = []
    watch, _ = watch_of(Queue(), factors)

    watch.observe(Backlog(batches=10, bytes=10**9, limit_bytes=0, taken=10))

    assert factors == []

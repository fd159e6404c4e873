"""Limiters: decisions on one key and on many, batches, readings and state, on both twins."""

import asyncio
import os
import random
import subprocess
import sys
from array import array
from importlib import import_module

from aetherops.ratelimit import FixedWindowLimiter, LimiterState, SlidingWindowLimiter, TokenBucket

SIDES = ("native", "pure")
KINDS = {
    "bucket": ("bucket_counters", "BucketCounters", ([(1, 3_600_000, 3_600_000 * 10**9)],)),
    "two buckets": (
        "bucket_counters",
        "BucketCounters",
        ([(1, 3_600_000, 3_600_000 * 10**9), (1, 10_000, 10_000 * 10**9)],),
    ),
    "fixed": ("fixed_counters", "FixedCounters", (10**9, 60 * 10**6)),
    "interpolated": ("sliding_counters", "SlidingCounters", (10**9, 60 * 10**6, 4, False)),
    "strict": ("sliding_counters", "SlidingCounters", (10**9, 60 * 10**6, 8, True)),
}
SIZES = (1, 1_000, 100_000)
CALLS = 10_000


def counters(side, kind):
    """The counters of a twin, whatever this process has chosen."""
    module, name, arguments = KINDS[kind]
    return getattr(import_module(f"aetherops.core._{side}.{module}"), name)(*arguments)


class Decisions:
    """Ten thousand decisions on random ones of so many keys."""

    params = (SIDES, tuple(KINDS), SIZES)
    param_names = ("implementation", "kind", "keys")

    def setup(self, side, kind, size):
        rng = random.Random(1)
        self.counters = counters(side, kind)
        self.numbers = array("q", (rng.randrange(size) for _ in range(CALLS)))
        names = [f"client {i}" for i in range(size)]
        self.keys = [names[i] for i in self.numbers]
        self.counters.allow_many(names)
        self.counters.allow_many(array("q", range(size)))

    def time_allow(self, side, kind, size):
        allow = self.counters.allow
        for key in self.keys:
            allow(key)

    def time_admit(self, side, kind, size):
        admit = self.counters.admit
        for key in self.keys:
            admit(key)

    def time_allow_many_texts(self, side, kind, size):
        self.counters.allow_many(self.keys)

    def time_allow_many_int64(self, side, kind, size):
        self.counters.allow_many(self.numbers)


class Limiters:
    """What users of the library call."""

    params = (("bucket", "fixed", "strict"), (1_000, 100_000))
    param_names = ("limiter", "keys")

    def setup(self, limiter, size):
        self.limiter = {
            "bucket": lambda: TokenBucket(10**9, "1000/hour"),
            "fixed": lambda: FixedWindowLimiter(10**9),
            "strict": lambda: SlidingWindowLimiter(10**9),
        }[limiter]()
        self.limiter.allow_many([f"client {i}" for i in range(size)])
        self.state = self.limiter.state(0)
        self.saved = self.state.to_bytes()

    def time_decide(self, limiter, size):
        decide = self.limiter.decide
        for _ in range(1_000):
            decide("client 1")

    def time_snapshot(self, limiter, size):
        self.limiter.snapshot()

    def time_save(self, limiter, size):
        self.limiter.state(0).to_bytes()

    def time_restore(self, limiter, size):
        self.limiter.restore(LimiterState.from_bytes(self.saved), 1)

    def time_scale(self, limiter, size):
        self.limiter.scale(500)
        self.limiter.scale(1000)

    def track_saved_bytes_a_key(self, limiter, size):
        return len(self.saved) / size


class Waiting:
    """A thousand tasks that acquire without having to wait."""

    def setup(self):
        self.bucket = TokenBucket(10**6, 10**6)
        self.loop = asyncio.new_event_loop()

    def teardown(self):
        self.loop.close()

    def time_acquire(self):
        async def acquire():
            for _ in range(1_000):
                await self.bucket.acquire_async("k")

        self.loop.run_until_complete(acquire())


class Memory:
    """Of a table of so many keys, beside the keys themselves."""

    params = (("bucket", "fixed", "interpolated", "strict"), (100_000,))
    param_names = ("kind", "keys")

    def setup(self, kind, size):
        self.names = [f"client {i}" for i in range(size)]

    def peakmem_table(self, kind, size):
        counters("native", kind).allow_many(self.names)


class Importing:
    """The library's import, in a process of its own."""

    def time_import(self):
        environment = dict(os.environ)
        subprocess.run(
            [sys.executable, "-c", "import aetherops.ratelimit"], check=True, env=environment
        )

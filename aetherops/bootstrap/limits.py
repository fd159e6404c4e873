"""The rate limits: operators' over Redis, addresses' in the process, scaled to the load."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aetherops.api.admission import Admission, Gate
from aetherops.parts.load_watch import LoadWatch
from aetherops.ratelimit import TokenBucket
from aetherops.ratelimit.load.adaptive import AdaptiveLimits
from aetherops.ratelimit.ports import LocalAsAsync
from aetherops.ratelimit.redis.counters import RedisCounters
from aetherops.ratelimit.shadow import AsyncShadowLimiter
from aetherops.ratelimit.shared.limiter import SharedLimiter
from aetherops.runtime.data_dir.limiter_file import kept_in_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aetherops.api.metrics.registry import Metrics
    from aetherops.connections.redis import Redis
    from aetherops.parts.load_watch import ReadsBacklog
    from aetherops.ratelimit import BucketLimit
    from aetherops.ratelimit.ports import AsyncLimiter
    from aetherops.runtime.part import Part
    from aetherops.runtime.settings import Settings

__all__ = ["Limits", "limits_kept"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is limited where requests come in, and the part by which limits follow the load."""

    admission: Admission
    parts: Mapping[str, Part] = field(default_factory=dict)


@asynccontextmanager
async def limits_kept(
    settings: Settings, redis: Redis, queue: ReadsBacklog, metrics: Metrics
) -> AsyncIterator[Limits]:
    """The limits as the settings say. Counts outlive the instance: in Redis, or in a file."""
    if settings.rate_limits == "off":
        yield Limits(Admission())
        return
    chosen = settings.limits
    async with AsyncExitStack() as stack:

        def shared(name: str, limit: BucketLimit) -> SharedLimiter:
            counters = RedisCounters(redis.client, name, limit)
            stack.push_async_callback(counters.aclose)
            return SharedLimiter(
                counters,
                on_failure=chosen.without_redis,
                replicas=chosen.replicas,
                breaker=redis.breaker,
            )

        def gate(name: str, limiter: AsyncLimiter, limit: BucketLimit) -> Gate:
            is_watched = settings.rate_limits == "watch"
            return Gate(
                name, AsyncShadowLimiter(limiter) if is_watched else limiter, [limit], metrics
            )

        address, ingest = chosen.address_limit(), chosen.ingest_limit()
        queries = chosen.query_limit()
        bucket = TokenBucket(address.burst_capacity, address.refill_rate, share_overflow=True)
        stack.enter_context(kept_in_file(bucket, settings.data_dir / "address-limits.bin"))
        ingest_limiter = shared("ingest", ingest)
        admission = Admission(
            addresses=gate("address", LocalAsAsync(bucket), address),
            ingest=gate("ingest", ingest_limiter, ingest),
            queries=gate("queries", shared("queries", queries), queries),
        )
        watch = LoadWatch(queue, AdaptiveLimits([ingest_limiter]), metrics.limit_factor.set)
        yield Limits(admission, {"load-watch": watch} if chosen.adapt else {})

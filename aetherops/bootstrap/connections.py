"""The connections of an instance, and whether their servers answer."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.runtime.connections import connect_nats, connect_postgres, connect_redis

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    import asyncpg
    from nats.aio.client import Client as NatsClient
    from redis.asyncio import Redis

    from aetherops.connections.endpoints import Endpoints
    from aetherops.runtime.settings import Settings

__all__ = ["Connections", "connected"]

_PROBE_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Connections:
    """One client a server."""

    postgres: asyncpg.Pool
    nats: NatsClient
    redis: Redis

    async def probe(self) -> Mapping[str, bool]:
        """Whether each server answers, asked all at once."""
        probes: dict[str, Callable[[], Awaitable[object]]] = {
            "postgres": lambda: self.postgres.fetchval("SELECT 1"),
            "nats": self.nats.jetstream().account_info,
            "redis": self.redis.ping,
        }
        outcomes = await asyncio.gather(*(_answers(probe) for probe in probes.values()))
        return dict(zip(probes, outcomes, strict=True))


async def _answers(probe: Callable[[], Awaitable[object]]) -> bool:
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            await probe()
    except Exception:  # any failure of a probe means the same
        return False
    return True


@asynccontextmanager
async def connected(endpoints: Endpoints, settings: Settings) -> AsyncIterator[Connections]:
    """Clients of the three servers, closed with the block."""
    async with AsyncExitStack() as stack:
        pool = await connect_postgres(endpoints.postgres_dsn, settings)
        stack.push_async_callback(pool.close)
        nats = await connect_nats(endpoints.nats_url, settings)
        stack.push_async_callback(nats.close)
        redis = await connect_redis(endpoints.redis_url, settings)
        stack.push_async_callback(redis.aclose)
        yield Connections(pool, nats, redis)

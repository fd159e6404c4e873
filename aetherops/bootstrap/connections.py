"""The connections of an instance, each behind its breaker, and whether their servers answer."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.connections.nats import Nats
from aetherops.connections.postgres import Postgres
from aetherops.connections.redis import Redis

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aetherops.connections.endpoints import Endpoints
    from aetherops.resilience import BreakerRegistry
    from aetherops.runtime.settings import Settings

__all__ = ["Connections", "connected"]


@dataclass(frozen=True, slots=True)
class Connections:
    """One handle a server."""

    postgres: Postgres
    nats: Nats
    redis: Redis

    async def probe(self) -> Mapping[str, bool]:
        """Whether each server answers, asked all at once."""
        handles: dict[str, Postgres | Nats | Redis] = {
            "postgres": self.postgres,
            "nats": self.nats,
            "redis": self.redis,
        }
        outcomes = await asyncio.gather(*(handle.probe() for handle in handles.values()))
        return dict(zip(handles, outcomes, strict=True))


@asynccontextmanager
async def connected(
    endpoints: Endpoints, settings: Settings, breakers: BreakerRegistry
) -> AsyncIterator[Connections]:
    """Handles of the three servers, closed with the block."""
    connect_timeout_s = settings.connect_timeout_s
    postgres = Postgres.connect(
        endpoints.postgres_dsn,
        breakers.get("postgres"),
        pool_size=settings.postgres_pool_size,
        connect_timeout_s=connect_timeout_s,
        command_timeout_s=settings.command_timeout_s,
    )
    nats = Nats.connect(
        endpoints.nats_url,
        breakers.get("nats"),
        connect_timeout_s=connect_timeout_s,
        command_timeout_s=settings.command_timeout_s,
    )
    redis = Redis.connect(
        endpoints.redis_url,
        breakers.get("redis"),
        connect_timeout_s=connect_timeout_s,
        command_timeout_s=settings.command_timeout_s,
    )
    async with AsyncExitStack() as stack:
        yield Connections(
            await stack.enter_async_context(postgres),
            await stack.enter_async_context(nats),
            await stack.enter_async_context(redis),
        )

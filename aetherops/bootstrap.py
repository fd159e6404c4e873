"""Where the platform is wired: the only module that builds adapters into services."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.api.application import ApiServices, create_application
from aetherops.identity.keys import SigningKey, load_or_create_key
from aetherops.identity.operators import Operator
from aetherops.identity.tokens import TokenIssuer, TokenVerifier
from aetherops.resilience import BreakerRegistry, exceptions
from aetherops.runtime.connections import connect_nats, connect_postgres, connect_redis
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.event_bus import NatsEventBus
from aetherops.runtime.http_server import HttpServer, listening_socket
from aetherops.runtime.instance import Instance, own_instance, remove_instance, write_instance
from aetherops.runtime.migrate import migrate
from aetherops.runtime.supervision import Part, StopRequest, stop_on_signals, supervise
from aetherops.services.breaker_reports import BreakerReports
from aetherops.services.demo import DemoFeed
from aetherops.services.ingest import IngestWorker
from aetherops.telemetry.jetstream import (
    NATS_ANSWERS,
    NATS_FAILURES,
    GuardedClient,
    JetStreamQueue,
    JetStreamSource,
    prepare_streams,
)
from aetherops.telemetry.postgres import POSTGRES_FAILURES, PostgresTelemetryStore

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    import asyncpg
    from nats.aio.client import Client as NatsClient
    from redis.asyncio import Redis

    from aetherops.runtime.endpoints import Endpoints
    from aetherops.runtime.settings import Settings

__all__ = ["issue_token", "serve"]

_PROBE_TIMEOUT_S = 2.0
#: Who the token of `aetherops up` speaks for.
_LOCAL_OPERATOR = Operator("local", "local operator", frozenset({"admin"}), clearance=5)


@dataclass(frozen=True, slots=True)
class _Connections:
    postgres: asyncpg.Pool
    nats: NatsClient
    redis: Redis


async def serve(
    settings: Settings, *, demo: bool = False, ready: Callable[[Instance], None]
) -> None:
    """Run the whole platform until SIGINT or SIGTERM, then drain and end it.

    Parameters
    ----------
    demo : also ingest the demonstration fleet's telemetry.
    ready : called once requests are answered, with where and by which token.

    Raises
    ------
    AddressInUseError, AlreadyRunningError, UnavailableError, InvalidInputError
        The platform cannot start as it is set.
    """
    request = StopRequest()
    async with AsyncExitStack() as stack:
        stack.enter_context(stop_on_signals(request))
        stack.enter_context(own_instance(settings.data_dir))
        bound = stack.enter_context(listening_socket(settings.host, settings.port))
        endpoints = await stack.enter_async_context(running_servers(settings))
        connections = await stack.enter_async_context(_connected(endpoints, settings))
        await migrate(connections.postgres)
        await prepare_streams(connections.nats, settings.ingest_backlog_bytes)

        key = load_or_create_key(settings.data_dir / "keys")
        parts = _build_parts(settings, connections, key, bound, demo=demo)
        instance = Instance(
            url=_url(bound), token=issue_token(key, settings.token_lifetime_s), pid=os.getpid()
        )
        write_instance(settings.data_dir, instance)
        stack.callback(remove_instance, settings.data_dir)
        # The socket listens already: whoever reads this is answered as soon as parts run.
        ready(instance)
        await supervise(parts, request, settings.drain_timeout_s)


def issue_token(key: SigningKey, lifetime_s: float, operator: Operator = _LOCAL_OPERATOR) -> str:
    """A bearer token for the API, from the instance's own key."""
    return TokenIssuer(key).issue(operator, lifetime_s, time.time())


def _build_parts(
    settings: Settings,
    connections: _Connections,
    key: SigningKey,
    bound: socket.socket,
    *,
    demo: bool,
) -> dict[str, Part]:
    """The long-lived parts; they stop from the last to the first, so sources come last."""
    breakers = _build_breakers(settings)
    store = PostgresTelemetryStore(connections.postgres, breakers.get("postgres"))
    nats = GuardedClient(connections.nats, breakers.get("nats"))
    intake = JetStreamQueue(nats)
    application = create_application(
        ApiServices(
            store=store,
            intake=intake,
            verifier=TokenVerifier([key.verifying_key]),
            readiness=lambda: _probe(connections),
            settings=settings,
            breakers=breakers,
        )
    )
    parts: dict[str, Part] = {
        f"ingest-{i}": IngestWorker(JetStreamSource(nats), store, settings.ingest_fetch_batches)
        for i in range(settings.ingest_workers)
    }
    bus = NatsEventBus(connections.nats, nats)
    parts["breaker-reports"] = BreakerReports(breakers, intake, bus, _now_us)
    parts["http"] = HttpServer(application, bound, settings.drain_timeout_s)
    if demo:
        parts["demo"] = DemoFeed(intake, _now_us)
    return parts


def _build_breakers(settings: Settings) -> BreakerRegistry:
    return BreakerRegistry(
        {
            "postgres": settings.postgres_breaker.policy(),
            "nats": settings.nats_breaker.policy(),
            "redis": settings.redis_breaker.policy(),
        },
        detectors={
            "postgres": exceptions(*POSTGRES_FAILURES),
            "nats": exceptions(*NATS_FAILURES, exclude=NATS_ANSWERS),
        },
    )


def _now_us() -> int:
    return time.time_ns() // 1_000


@asynccontextmanager
async def _connected(endpoints: Endpoints, settings: Settings) -> AsyncIterator[_Connections]:
    async with AsyncExitStack() as stack:
        pool = await connect_postgres(endpoints.postgres_dsn, settings)
        stack.push_async_callback(pool.close)
        nats = await connect_nats(endpoints.nats_url, settings)
        stack.push_async_callback(nats.close)
        redis = await connect_redis(endpoints.redis_url, settings)
        stack.push_async_callback(redis.aclose)
        yield _Connections(pool, nats, redis)


async def _probe(connections: _Connections) -> Mapping[str, bool]:
    """Whether each server answers, asked all at once."""
    probes: dict[str, Callable[[], Awaitable[object]]] = {
        "postgres": lambda: connections.postgres.fetchval("SELECT 1"),
        "nats": connections.nats.jetstream().account_info,
        "redis": connections.redis.ping,
    }

    async def answers(probe: Callable[[], Awaitable[object]]) -> bool:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                await probe()
        except Exception:  # any failure of a probe means the same
            return False
        return True

    outcomes = await asyncio.gather(*(answers(probe) for probe in probes.values()))
    return dict(zip(probes, outcomes, strict=True))


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

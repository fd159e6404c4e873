"""An instance of the platform, from its start to its end."""

from __future__ import annotations

import os
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from aetherops import __version__
from aetherops.api.application import ApiServices, create_application
from aetherops.api.metrics.registry import Metrics
from aetherops.archive.jetstream import (
    GuardedClient,
    JetStreamQueue,
    JetStreamSource,
    is_nats_away,
    prepare_streams,
)
from aetherops.archive.postgres import PostgresTelemetryStore, is_postgres_away
from aetherops.bootstrap.connections import Connections, connected
from aetherops.bootstrap.limits import Limits, limits_kept
from aetherops.bootstrap.provider import provider_of
from aetherops.core import IMPLEMENTATION, instruction_set
from aetherops.demo.feed import DemoFeed
from aetherops.identity.keys import SigningKey, load_or_create_key
from aetherops.identity.operators import Operator
from aetherops.identity.tokens import TokenIssuer, TokenVerifier
from aetherops.parts.breaker_reports import BreakerReports
from aetherops.parts.ingest_worker import IngestWorker
from aetherops.parts.load_watch import LoadWatch
from aetherops.ratelimit.load.adaptive import AdaptiveLimits
from aetherops.resilience import BreakerRegistry
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.event_bus import NatsEventBus
from aetherops.runtime.http_server import HttpServer, listening_socket
from aetherops.runtime.instance import Instance, own_instance, remove_instance, write_instance
from aetherops.runtime.migrate import migrate
from aetherops.runtime.supervision import Part, StopRequest, stop_on_signals, supervise

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from aetherops.runtime.settings import Settings

__all__ = ["issue_token", "serve"]

_log = structlog.get_logger(__name__)

#: Who the token of `aetherops up` speaks for.
_LOCAL_OPERATOR = Operator("local", "local operator", frozenset({"admin"}), clearance=5)


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
        _log.info("starting", version=__version__, kernels=IMPLEMENTATION, simd=instruction_set())
        endpoints = await stack.enter_async_context(running_servers(settings))
        connections = await stack.enter_async_context(connected(endpoints, settings))
        await migrate(connections.postgres)
        await prepare_streams(connections.nats, settings.ingest_backlog_bytes)

        key = load_or_create_key(settings.data_dir / "keys")
        metrics, breakers = Metrics(), _build_breakers(settings)
        limits = await stack.enter_async_context(
            limits_kept(settings, connections.redis, breakers.get("redis"), metrics)
        )
        parts = _build_parts(
            settings, connections, key, bound, metrics, breakers, limits, demo=demo
        )
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
    connections: Connections,
    key: SigningKey,
    bound: socket.socket,
    metrics: Metrics,
    breakers: BreakerRegistry,
    limits: Limits,
    *,
    demo: bool,
) -> dict[str, Part]:
    """The long-lived parts; they stop from the last to the first, so sources come last."""
    store = PostgresTelemetryStore(connections.postgres, breakers.get("postgres"))
    nats = GuardedClient(connections.nats, breakers.get("nats"))
    intake = JetStreamQueue(nats)
    parts: dict[str, Part] = {
        f"ingest-{i}": IngestWorker(JetStreamSource(nats), store, settings.ingest_fetch_batches)
        for i in range(settings.ingest_workers)
    }
    provider, key_watch = provider_of(settings, breakers)
    if key_watch is not None:
        parts["key-watch"] = key_watch
    parts["breaker-reports"] = BreakerReports(breakers, intake, NatsEventBus(nats), _now_us)
    if limits.scalable is not None:
        adaptive = AdaptiveLimits([limits.scalable])
        parts["load-watch"] = LoadWatch(intake, adaptive, metrics.limit_factor.set)
    services = ApiServices(
        store=store,
        intake=intake,
        verifier=TokenVerifier([key.verifying_key], provider=provider),
        readiness=connections.probe,
        settings=settings,
        admission=limits.admission,
        breakers=breakers,
        metrics=metrics,
    )
    parts["http"] = HttpServer(create_application(services), bound, settings.drain_timeout_s)
    if demo:
        parts["demo"] = DemoFeed(intake, _now_us)
    return parts


def _build_breakers(settings: Settings) -> BreakerRegistry:
    return BreakerRegistry(
        {
            "postgres": settings.postgres_breaker.policy(),
            "nats": settings.nats_breaker.policy(),
            "redis": settings.redis_breaker.policy(),
            "jwks": settings.jwks_breaker.policy(),
        },
        detectors={"postgres": is_postgres_away, "nats": is_nats_away},
    )


def _now_us() -> int:
    return time.time_ns() // 1_000


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

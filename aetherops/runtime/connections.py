"""Clients of the three servers, each connected and proven by a first answer.

Every remote call has a time limit. What a driver raises on the way becomes one of our errors, which
names the server and the reason and hides the credentials.
"""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import nats
import nats.errors
import redis.exceptions
import structlog
from nats.aio.client import Client as NatsClient
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from aetherops.connections.endpoints import without_secrets
from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.runtime.settings import Settings

__all__ = ["UnreachableError", "connect_nats", "connect_postgres", "connect_redis"]

_APPLICATION = "aetherops"
_NATS_RECONNECT_WAIT_S = 0.25
_NATS_PENDING_BYTES = 32 * 2**20

_log = structlog.get_logger(__name__)


class UnreachableError(UnavailableError):
    """No connection to a server could be made.

    Parameters
    ----------
    dependency : which server (``"postgres"``).
    url : its address; credentials are dropped here.
    reason : what the driver said.
    """

    def __init__(self, dependency: str, url: str, reason: object) -> None:
        super().__init__(dependency)
        self.address = without_secrets(url)
        self.reason = str(reason) or type(reason).__name__
        self.args = (dependency, self.address, self.reason)

    def __str__(self) -> str:
        return f"{self.dependency} at {self.address} cannot be reached: {self.reason}"


async def connect_postgres(dsn: str, settings: Settings) -> asyncpg.Pool:
    """A pool of connections to PostgreSQL; sessions count time in UTC.

    Raises
    ------
    InvalidInputError
        The text is no PostgreSQL DSN.
    UnreachableError
        No server answers there, or it refuses us.
    """
    try:
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=settings.postgres_pool_size,
            timeout=settings.connect_timeout_s,
            command_timeout=settings.command_timeout_s,
            server_settings={"application_name": _APPLICATION, "timezone": "UTC"},
        )
    except asyncpg.ClientConfigurationError as error:
        raise InvalidInputError(
            "postgres_dsn", without_secrets(dsn), f"postgresql://user@host/database ({error})"
        ) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise UnreachableError("postgres", dsn, error) from error


async def connect_redis(url: str, settings: Settings) -> Redis:
    """A client of Redis or Valkey with a pool of its own.

    Raises
    ------
    InvalidInputError
        The text is no Redis URL.
    UnreachableError
        No server answers there, or it refuses us.
    """
    try:
        client = Redis.from_url(
            url,
            client_name=_APPLICATION,
            socket_connect_timeout=settings.connect_timeout_s,
            socket_timeout=settings.command_timeout_s,
            # Once more at once, for a pooled connection that the server has closed meanwhile.
            retry=Retry(NoBackoff(), retries=1),
        )
    except ValueError as error:
        raise InvalidInputError(
            "redis_url", without_secrets(url), f"redis://host:6379/0 or unix://path ({error})"
        ) from None
    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            await client.ping()
    except (OSError, redis.exceptions.RedisError) as error:
        await client.aclose()
        raise UnreachableError("redis", url, error) from error
    return client


async def connect_nats(url: str, settings: Settings) -> NatsClient:
    """A connection to NATS (one URL, or several with commas) that renews itself for ever.

    Raises
    ------
    UnreachableError
        No server answers there within ``connect_timeout_s``, or it refuses us.
    """
    client = NatsClient()
    failures: list[Exception] = []

    async def note_failure(error: Exception) -> None:
        if not client.is_connected:
            failures[:] = [error]
        _log.warning("nats_error", error=str(error) or type(error).__name__)

    try:
        async with asyncio.timeout(settings.connect_timeout_s):
            await client.connect(
                url.split(","), error_cb=note_failure, **_nats_options(client, settings)
            )
    except (OSError, nats.errors.Error) as error:
        await client.close()
        raise UnreachableError("nats", url, failures[-1] if failures else error) from error
    return client


def _nats_options(client: NatsClient, settings: Settings) -> dict[str, Any]:
    async def note_loss() -> None:
        if not client.is_closed:  # an end that was asked for is no loss
            _log.warning("nats_disconnected")

    async def note_return() -> None:
        _log.warning("nats_reconnected")

    return {
        "name": _APPLICATION,
        "connect_timeout": settings.connect_timeout_s,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": _NATS_RECONNECT_WAIT_S,
        "pending_size": _NATS_PENDING_BYTES,
        "disconnected_cb": note_loss,
        "reconnected_cb": note_return,
    }

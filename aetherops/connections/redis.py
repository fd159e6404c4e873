"""Redis or Valkey: a client whose every use passes a circuit breaker."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

from redis import asyncio as driver, exceptions as driver_errors
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from aetherops.connections.endpoints import without_secrets
from aetherops.connections.probes import PROBE_TIMEOUT_S, answers
from aetherops.errors import InvalidInputError, UnavailableError, UnreachableError
from aetherops.ratelimit.errors import ForeignEntryError
from aetherops.resilience import Breaker, exceptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Redis", "is_redis_away"]

# What the driver raises when the server is away, full, or has lost the part that writes. Another
# error reply (a wrong type, a script that fails) is our mistake, which waiting does not mend.
_FAILURES: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    driver_errors.ConnectionError,
    driver_errors.TimeoutError,
    driver_errors.InvalidResponse,
    driver_errors.OutOfMemoryError,
    driver_errors.ReadOnlyError,
    driver_errors.ClusterError,
    driver_errors.TryAgainError,
)

#: Says of uses of the client whether they failed; also of those that an adapter has translated.
is_redis_away = exceptions(UnavailableError, *_FAILURES, exclude=[ForeignEntryError])


class Redis:
    """A client of Redis or Valkey behind a circuit breaker.

    Parameters
    ----------
    client : with a pool of its own.
    breaker : guards every use; its detector is `is_redis_away`.
    """

    def __init__(self, client: driver.Redis, breaker: Breaker | None = None) -> None:
        self.client = client
        self.breaker = breaker or Breaker("redis", detector=is_redis_away)

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        url: str,
        breaker: Breaker | None = None,
        *,
        connect_timeout_s: float = 10.0,
        command_timeout_s: float = 20.0,
    ) -> AsyncIterator[Self]:
        """Connect, and close with the block.

        Parameters
        ----------
        connect_timeout_s, command_timeout_s : limits on making a connection, and on each answer.

        Raises
        ------
        InvalidInputError
            The text is no Redis URL.
        UnreachableError
            No server answers there, or it refuses us.
        """
        handle = cls(_client(url, connect_timeout_s, command_timeout_s), breaker)
        try:
            try:
                async with asyncio.timeout(connect_timeout_s):
                    await handle.client.ping()
            except (OSError, driver_errors.RedisError) as error:
                raise UnreachableError("redis", without_secrets(url), error) from error
            yield handle
        finally:
            await handle.close()

    @asynccontextmanager
    async def guarded(self) -> AsyncIterator[driver.Redis]:
        """One use of the client; what the driver raises when the server is away becomes our error.

        The block is for Redis alone: a time-out, an `OSError` or somebody else's
        `UnavailableError` inside it counts as the server's.

        Raises
        ------
        UnavailableError
            The server is away; the same may succeed later.
        """
        try:
            async with self.breaker.guard():
                yield self.client
        except _FAILURES as error:
            raise UnavailableError("redis") from error

    async def probe(self, timeout_s: float = PROBE_TIMEOUT_S) -> bool:
        """Whether the server answers now, whatever the breaker says."""
        return await answers(self.client.ping, timeout_s)

    async def close(self) -> None:
        """Close every connection."""
        await self.client.aclose()


def _client(url: str, connect_timeout_s: float, command_timeout_s: float) -> driver.Redis:
    try:
        return driver.Redis.from_url(
            url,
            client_name="aetherops",
            socket_connect_timeout=connect_timeout_s,
            socket_timeout=command_timeout_s,
            # Once more at once, for a pooled connection that the server has closed meanwhile.
            retry=Retry(NoBackoff(), retries=1),
        )
    except ValueError as error:
        raise InvalidInputError(
            "redis_url", without_secrets(url), f"redis://host:6379/0 or unix://path ({error})"
        ) from None

"""PostgreSQL: a pool whose every use passes a circuit breaker."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self, TypeAlias

import asyncpg

from aetherops.connections.endpoints import without_secrets
from aetherops.connections.probes import PROBE_TIMEOUT_S, answers
from aetherops.errors import InvalidInputError, UnavailableError, UnreachableError
from aetherops.resilience import Breaker, exceptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Postgres", "PostgresConnection", "accepts_connections", "is_postgres_away"]

#: What a block of `Postgres.connection` works with.
PostgresConnection: TypeAlias = asyncpg.pool.PoolConnectionProxy

# What the driver raises when the server is away.
_AWAY: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
)
# A deadlock or a serialisation failure ends one transaction; the same one succeeds later. The
# server is well: however many writers meet, the breaker stays closed.
_LATER: tuple[type[Exception], ...] = (*_AWAY, asyncpg.exceptions.TransactionRollbackError)

#: Judges uses of a connection for a circuit breaker.
is_postgres_away = exceptions(*_AWAY)


class Postgres:
    """A pool of connections to PostgreSQL behind a circuit breaker.

    Parameters
    ----------
    pool : an open pool.
    breaker : guards every use of a connection; its detector is `is_postgres_away`.
    """

    def __init__(self, pool: asyncpg.Pool, breaker: Breaker | None = None) -> None:
        self.pool = pool
        self.breaker = breaker or Breaker("postgres", detector=is_postgres_away)

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        dsn: str,
        breaker: Breaker | None = None,
        *,
        pool_size: int = 8,
        connect_timeout_s: float = 10.0,
        command_timeout_s: float = 30.0,
    ) -> AsyncIterator[Self]:
        """Connect, and close with the block; sessions count time in UTC.

        Parameters
        ----------
        pool_size : the most connections; one is made at once.
        connect_timeout_s, command_timeout_s : limits on making one, and on each command.

        Raises
        ------
        InvalidInputError
            The text is no PostgreSQL DSN.
        UnreachableError
            No server answers there, or it refuses us.
        """
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=pool_size,
                timeout=connect_timeout_s,
                command_timeout=command_timeout_s,
                server_settings={"application_name": "aetherops", "timezone": "UTC"},
            )
        except asyncpg.ClientConfigurationError as error:
            raise InvalidInputError(
                "postgres_dsn", without_secrets(dsn), f"postgresql://user@host/database ({error})"
            ) from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise UnreachableError("postgres", without_secrets(dsn), error) from error
        handle = cls(pool, breaker)
        try:
            yield handle
        finally:
            await handle.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[PostgresConnection]:
        """One guarded use of a connection; what the driver raises becomes our error.

        The block is for the database alone: a time-out or an `OSError` inside it counts as the
        server's.

        Raises
        ------
        UnavailableError
            The server is away, or had to end this transaction; the same may succeed later.
        """
        try:
            async with self.breaker.guard(), self.pool.acquire() as connection:
                yield connection
        except _LATER as error:
            raise UnavailableError("postgres") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresConnection]:
        """`connection`, with one transaction around the block."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def probe(self, timeout_s: float = PROBE_TIMEOUT_S) -> bool:
        """Whether the server answers now, whatever the breaker says."""
        return await answers(lambda: self.pool.fetchval("SELECT 1"), timeout_s)

    async def close(self) -> None:
        """Close every connection once it is given back."""
        await self.pool.close()


async def accepts_connections(dsn: str, timeout_s: float = 5.0) -> bool:
    """Whether a server listens there and has come up; any other refusal is raised."""
    try:
        connection = await asyncpg.connect(dsn, timeout=timeout_s)
    except (OSError, asyncpg.CannotConnectNowError):
        return False
    await connection.close()
    return True

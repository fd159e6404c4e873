"""PostgreSQL: a pool whose every use passes a circuit breaker."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING, Self, TypeAlias

import asyncpg

from aetherops.connections.endpoints import without_secrets
from aetherops.connections.probes import PROBE_TIMEOUT_S, answers
from aetherops.errors import (
    InvalidInputError,
    StoreCannotWriteError,
    UnavailableError,
    UnreachableError,
)
from aetherops.resilience import Breaker, exceptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = [
    "NOT_GRANTED",
    "Answer",
    "Postgres",
    "PostgresConnection",
    "answer_of",
    "is_postgres_away",
]

_COMMAND_TIMEOUT_S = 20.0
_RELEASE_TIMEOUT_S = 1.0
_CLOSE_TIMEOUT_S = 10.0

#: What a block of `Postgres.connection` works with.
PostgresConnection: TypeAlias = asyncpg.pool.PoolConnectionProxy

# What the driver raises when the server is away.
_AWAY: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # Of a connection whose end was told just now: asked before it is closed, given back after it.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
)
# A deadlock or a serialisation failure ends one transaction; the same one succeeds later. The
# server is well: however many writers meet, the breaker stays closed.
_LATER: tuple[type[Exception], ...] = (*_AWAY, asyncpg.exceptions.TransactionRollbackError)

# What says that the server answers, and cannot write: a standby or a demoted primary, rights that
# were taken, a full or failing disk, a schema that is not ours. No batch is at fault.
_CANNOT_WRITE: tuple[type[Exception], ...] = (
    asyncpg.InvalidTransactionStateError,  # read-only, or of an isolation that a function refuses
    asyncpg.InsufficientPrivilegeError,
    asyncpg.DiskFullError,
    asyncpg.PostgresIOError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InvalidSchemaNameError,
)

#: What is raised where a lock is not granted in time, or never would be.
NOT_GRANTED: tuple[type[Exception], ...] = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
)

#: Says of uses of a connection whether they failed. A full disk keeps nobody from reading.
is_postgres_away = exceptions(*_AWAY, exclude=(asyncpg.DiskFullError,))


class Postgres:
    """A pool of connections to PostgreSQL behind a circuit breaker.

    Parameters
    ----------
    pool : an open pool.
    breaker : guards every use of a connection; its detector is `is_postgres_away`.
    acquire_timeout_s : limit on the wait for a connection that nobody uses.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        breaker: Breaker | None = None,
        acquire_timeout_s: float = _COMMAND_TIMEOUT_S,
    ) -> None:
        self.pool = pool
        self._acquire_timeout_s = acquire_timeout_s
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
        command_timeout_s: float = _COMMAND_TIMEOUT_S,
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
                reset=_keep_session,
                server_settings={"application_name": "aetherops", "timezone": "UTC"},
            )
        except asyncpg.ClientConfigurationError as error:
            raise InvalidInputError(
                "postgres_dsn", without_secrets(dsn), f"postgresql://user@host/database ({error})"
            ) from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise UnreachableError("postgres", without_secrets(dsn), error) from error
        handle = cls(pool, breaker, command_timeout_s)
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
            async with (
                self.breaker.guard(),
                self._borrowed(self._acquire_timeout_s) as connection,
            ):
                yield connection
        except _LATER as error:
            raise UnavailableError("postgres") from error

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[PostgresConnection]:
        """`connection` for statements that write, each committed by itself.

        Raises
        ------
        StoreCannotWriteError
            The server answers, and does not let us write; no breaker opens for it.
        UnavailableError
            As `connection`.
        """
        try:
            async with self.connection() as connection:
                try:
                    yield connection
                except _CANNOT_WRITE as error:
                    raise StoreCannotWriteError("postgres", error) from error
        except StoreCannotWriteError:
            # The name may lead to another server by now, as after a failover.
            await self.pool.expire_connections()
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresConnection]:
        """`writing`, with one transaction around the block."""
        async with self.writing() as connection, connection.transaction():
            yield connection

    async def probe(self, timeout_s: float = PROBE_TIMEOUT_S) -> bool:
        """Whether the server answers now, whatever the breaker says."""

        async def ask() -> None:
            async with self._borrowed(timeout_s) as connection:
                await connection.fetchval("SELECT 1", timeout=timeout_s)

        return await answers(ask, timeout_s)

    @asynccontextmanager
    async def _borrowed(self, timeout_s: float) -> AsyncIterator[PostgresConnection]:
        """A connection of the pool; to give it back takes no longer than it may.

        The driver asks the server to cancel what was cut off, and waits for its word: a server that
        hangs would be waited for without end.
        """
        connection = await self.pool.acquire(timeout=timeout_s)
        try:
            yield connection
        finally:
            await asyncio.shield(self.pool.release(connection, timeout=_RELEASE_TIMEOUT_S))

    async def close(self) -> None:
        """Close every connection once it is given back, or break it off."""
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()


class Answer(Enum):
    """What a server says to who connects."""

    READY = auto()
    STARTING = auto()  # or recovering, or shutting down: it says that it lives
    NONE = auto()


async def _keep_session(connection: asyncpg.Connection) -> None:
    """No statement of ours changes a session, so nothing is set back between two uses.

    That would be a second round trip to the server. The driver itself ends a transaction that was
    left open.
    """


async def answer_of(dsn: str, timeout_s: float = 5.0) -> Answer:
    """What a server there says to a new connection and a question.

    Raises
    ------
    UnreachableError
        It refuses us for good: a wrong password, files that it cannot read.
    """
    try:
        async with asyncio.timeout(timeout_s):
            connection = await asyncpg.connect(dsn)
            try:
                await connection.fetchval("SELECT 1")
            finally:
                connection.terminate()  # a polite end could wait for ever
    except (asyncpg.CannotConnectNowError, asyncpg.exceptions.AdminShutdownError):
        return Answer.STARTING
    except asyncpg.TooManyConnectionsError:
        return Answer.READY  # to others
    except _AWAY:
        return Answer.NONE
    except asyncpg.PostgresError as error:
        raise UnreachableError("postgres", without_secrets(dsn), error) from error
    return Answer.READY

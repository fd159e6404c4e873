"""Applying migrations: under one lock, without keeping anybody waiting for long."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from aetherops.connections.postgres import NOT_GRANTED
from aetherops.errors import UnavailableError
from aetherops.resilience import retry_backoff
from aetherops.runtime.migrate.files import read_migrations
from aetherops.runtime.migrate.ledger import (
    prepare_ledger,
    read_ledger,
    record,
    refuse_changed,
    refuse_incompatible,
)
from aetherops.runtime.migrate.roles import grant_to

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from importlib.resources.abc import Traversable

    from aetherops.connections.postgres import Postgres, PostgresConnection
    from aetherops.runtime.migrate.files import Migration, Step

__all__ = ["MigrationBlockedError", "migrate"]

# Any number that no other user of the database takes: instances that start together wait here.
_ADVISORY_LOCK = 0x_AE7E_0000_0001
_STATEMENT_TIMEOUT_S = 3_600.0
_ASK_AGAIN_S = 0.1
# Whoever waits for a lock on a table makes all who come later wait as well: not for long.
_LOCK_TIMEOUT = "1s"
_PATIENCE_S = 600.0
_RETRY_MS = 200, 5_000

# A killed migration is noticed while its statement runs, so that the lock is free for the next.
# Not on Windows, where servers refuse it.
_NOTICE_KILLS = """
SELECT set_config('client_connection_check_interval', '1s', false)
WHERE version() !~* 'windows|mingw|visual'
"""

_log = structlog.get_logger(__name__)


class MigrationBlockedError(UnavailableError):
    """Others held locks on a table for so long that a migration could not begin.

    Parameters
    ----------
    migration : its name; nothing of it was applied.
    patience_s : how long it was tried.
    """

    def __init__(self, migration: str, patience_s: float) -> None:
        super().__init__("postgres", 5.0)
        self.migration = migration
        self.patience_s = patience_s
        self.args = (migration, patience_s)

    def __str__(self) -> str:
        return (
            f"migration {self.migration} got no lock on its tables in {self.patience_s:g} s, for "
            "long transactions hold them (see pg_stat_activity); nothing of it was applied"
        )


async def migrate(
    postgres: Postgres,
    directory: Traversable | None = None,
    *,
    runtime_role: str | None = None,
    patience_s: float = _PATIENCE_S,
) -> list[str]:
    """Bring the database up to date and return the names of what was applied now.

    One process migrates at a time, the others wait. Each file is one transaction, or one a step
    where it says so; a failing or killed one leaves those before it applied and can be begun
    again. Older versions go on beside it (see `Migration.after`).

    Parameters
    ----------
    postgres : the database to change, as the role that owns its tables.
    directory : of files ``NNNN_name.sql``; those of the package by default.
    runtime_role : is granted what `aetherops.migrations.rights` says, where it is another role.
    patience_s : how long a migration is tried that gets no lock on its tables.

    Raises
    ------
    InvalidInputError
        A file name has another form or a number twice, or a file declares nothing; an applied
        file has changed since; or a newer version has applied what this one cannot run beside.
    MigrationBlockedError
        Others held locks for longer than patience lasts.
    """
    migrations = read_migrations(directory)
    names = []
    async with postgres.connection() as connection, _alone(connection):
        await prepare_ledger(connection)
        applied = await read_ledger(connection)
        refuse_incompatible(applied, migrations)
        for migration in migrations:
            if migration.name in applied:
                refuse_changed(migration, applied[migration.name])
                continue
            await _apply(connection, migration, patience_s)
            names.append(migration.name)
            _log.info("migration_applied", name=migration.name)
        is_newest = {*applied} <= {migration.name for migration in migrations}
        if runtime_role is not None and is_newest:
            await grant_to(connection, runtime_role)
    return names


@asynccontextmanager
async def _alone(connection: PostgresConnection) -> AsyncIterator[None]:
    """Hold the lock for the block; it ends with the session too.

    Asked for again and again: one statement that waits for it would be a transaction, and an
    index that is built beside writers waits for all of those.
    """
    while True:
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", _ADVISORY_LOCK):
            break
        await asyncio.sleep(_ASK_AGAIN_S)
    try:
        await connection.execute(_NOTICE_KILLS)
        yield
    finally:
        if not connection.is_closed():
            await connection.execute(
                "RESET client_connection_check_interval; "
                f"SELECT pg_advisory_unlock({_ADVISORY_LOCK})"
            )


async def _apply(connection: PostgresConnection, migration: Migration, patience_s: float) -> None:
    async def whole() -> None:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            await connection.execute(migration.sql, timeout=_STATEMENT_TIMEOUT_S)
            await record(connection, migration)

    if not migration.steps:
        await _until_granted(migration.name, patience_s, whole)
        return
    for step in migration.steps:
        await _take(connection, migration.name, step, patience_s)
    await record(connection, migration)


async def _take(connection: PostgresConnection, name: str, step: Step, patience_s: float) -> None:
    """Run a step, over and over where it repeats. Building an index beside writers waits for them
    without keeping anybody, so nothing limits that."""
    changed: int | None = None

    async def once() -> None:
        nonlocal changed
        if "CONCURRENTLY" in step.sql.upper():
            status = await connection.execute(step.sql, timeout=_STATEMENT_TIMEOUT_S)
        else:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                status = await connection.execute(step.sql, timeout=_STATEMENT_TIMEOUT_S)
        count = status.rpartition(" ")[2]
        changed = int(count) if count.isdecimal() else 0

    await _until_granted(name, patience_s, once)
    while step.repeats and changed:
        await _until_granted(name, patience_s, once)


async def _until_granted(
    name: str, patience_s: float, attempt: Callable[[], Awaitable[None]]
) -> None:
    """Try until no lock is missing; between two tries whoever waited behind us goes on."""
    begun_s, tries = time.monotonic(), 0
    while True:
        try:
            return await attempt()
        except NOT_GRANTED as error:
            tries += 1
            if time.monotonic() - begun_s >= patience_s:
                raise MigrationBlockedError(name, patience_s) from error
            if tries == 1:
                _log.warning("migration_delayed", name=name, reason=str(error))
            await asyncio.sleep(retry_backoff(tries, *_RETRY_MS) / 1_000)

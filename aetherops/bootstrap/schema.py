"""The database's schema: up to date before anything runs on it, by the role that owns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from aetherops.connections.postgres import Postgres
from aetherops.errors import InvalidInputError
from aetherops.runtime.migrate import (
    SchemaOutdatedError,
    migrate,
    missing_migrations,
    owns_schema,
)

if TYPE_CHECKING:
    from aetherops.connections.endpoints import Endpoints
    from aetherops.runtime.settings import Settings

__all__ = ["ensure_schema", "migrate_database"]

_log = structlog.get_logger(__name__)


async def ensure_schema(endpoints: Endpoints, postgres: Postgres) -> None:
    """Let `postgres`, connected as the role that serves, find what this version needs.

    The embedded server is migrated here, by its owner. So is yours where the role that serves
    owns the tables, as it did before there were two.

    Raises
    ------
    SchemaOutdatedError
        Migrations are missing, and the role may not apply them.
    InvalidInputError
        See `migrate`.
    """
    role = await _role_of(postgres)
    if endpoints.postgres_owner_dsn is not None:
        await _migrate_as(endpoints.postgres_owner_dsn, role)
    elif await owns_schema(postgres):
        _log.warning("roles_not_separated", role=role)
        await _migrate_as(endpoints.postgres_dsn, role)
    if missing := await missing_migrations(postgres):
        raise SchemaOutdatedError(missing)


async def migrate_database(settings: Settings, runtime_role: str | None) -> tuple[list[str], str]:
    """Migrate your PostgreSQL as its owner, and grant the role that serves what it needs.

    Parameters
    ----------
    runtime_role : that role; asked of the database by `AETHEROPS_POSTGRES_DSN` if None.

    Returns
    -------
    Names of what was applied now, and the role that serves.

    Raises
    ------
    InvalidInputError
        No address of the owner is set, or no role is named; see `migrate` for others.
    """
    dsn, owner_dsn = settings.postgres_dsn, settings.postgres_owner_dsn or settings.postgres_dsn
    if owner_dsn is None:
        raise InvalidInputError(
            "postgres_owner_dsn",
            None,
            "the address of your PostgreSQL as the role that owns its tables; "
            "an embedded server is migrated by `aetherops up`",
        )
    if runtime_role is None:
        if dsn is None:
            raise InvalidInputError(
                "--grant-to",
                None,
                "the role that `aetherops up` connects as, or AETHEROPS_POSTGRES_DSN set as for it",
            )
        async with Postgres.connect(dsn.get_secret_value(), pool_size=1) as serving:
            runtime_role = await _role_of(serving)
    applied = await _migrate_as(owner_dsn.get_secret_value(), runtime_role)
    return applied, runtime_role


async def _role_of(postgres: Postgres) -> str:
    async with postgres.connection() as connection:
        return str(await connection.fetchval("SELECT current_user"))


async def _migrate_as(owner_dsn: str, runtime_role: str) -> list[str]:
    """On a connection of its own: migrations set what must not stay set in a pool."""
    async with Postgres.connect(owner_dsn, pool_size=1) as owner:
        if not await owns_schema(owner):
            raise InvalidInputError(
                "postgres_owner_dsn",
                await _role_of(owner),
                "a role that owns AetherOps's tables and may create some in the schema",
            )
        return await migrate(owner, runtime_role=runtime_role)

"""What a database says of the migrations it has, and whether this version may run on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.errors import AetherOpsError, InvalidInputError
from aetherops.runtime.migrate.files import read_migrations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.resources.abc import Traversable

    from aetherops.connections.postgres import Postgres, PostgresConnection
    from aetherops.runtime.migrate.files import Migration

__all__ = [
    "Applied",
    "SchemaOutdatedError",
    "missing_migrations",
    "prepare_ledger",
    "read_ledger",
    "record",
    "refuse_changed",
    "refuse_incompatible",
]

# Versions that end at 0002 refuse every row of `schema_migration` that they do not know, so those
# that declare with whom they run stand in a table of their own.
_TABLES = """
CREATE TABLE IF NOT EXISTS schema_migration (
    name       text PRIMARY KEY,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS schema_change (
    name       text PRIMARY KEY,
    sha256     text NOT NULL,
    after      text,                 -- versions that do not know this number cannot run
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""

# An undeclared one asks for a version that knows it.
_READ = {
    "schema_migration": "SELECT name, sha256, left(name, 4) FROM schema_migration",
    "schema_change": "SELECT name, sha256, after FROM schema_change",
}


# A role that may not read it was granted nothing yet, which `aetherops migrate` puts right as well.
_IS_READABLE = "SELECT coalesce(has_table_privilege(to_regclass($1), 'SELECT'), false)"


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration that a database has: see `Migration`."""

    name: str
    sha256: str
    after: str | None


class SchemaOutdatedError(AetherOpsError):
    """The database lacks migrations, and the role that serves may not apply them.

    Parameters
    ----------
    missing : their names.
    """

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing = list(missing)
        super().__init__(self.missing)

    def __str__(self) -> str:
        return (
            f"the database lacks {', '.join(self.missing)}: run "
            "`AETHEROPS_POSTGRES_OWNER_DSN=postgresql://OWNER@HOST/DATABASE aetherops migrate` "
            "as the role that owns its tables, then start again"
        )


async def missing_migrations(postgres: Postgres, directory: Traversable | None = None) -> list[str]:
    """Names of the migrations that the database lacks for this version to run; changes nothing.

    Raises
    ------
    InvalidInputError
        As `migrate`: this version cannot run on this database at all.
    """
    migrations = read_migrations(directory)
    async with postgres.connection() as connection:
        applied = await read_ledger(connection)
    refuse_incompatible(applied, migrations)
    return [one.name for one in migrations if one.name not in applied]


async def prepare_ledger(connection: PostgresConnection) -> None:
    """Make the tables that are read and written here, where they are missing."""
    await connection.execute(_TABLES)


async def read_ledger(connection: PostgresConnection) -> dict[str, Applied]:
    """What was applied, by name; nothing where no migration ever was."""
    applied: dict[str, Applied] = {}
    for table, query in _READ.items():
        if await connection.fetchval(_IS_READABLE, table):
            applied |= {row[0]: Applied(*row) for row in await connection.fetch(query)}
    return applied


async def record(connection: PostgresConnection, migration: Migration) -> None:
    """Note that a migration was applied."""
    if migration.is_declared:
        await connection.execute(
            "INSERT INTO schema_change (name, sha256, after) VALUES ($1, $2, $3)",
            *(migration.name, migration.sha256, migration.after),
        )
    else:
        await connection.execute(
            "INSERT INTO schema_migration (name, sha256) VALUES ($1, $2)",
            *(migration.name, migration.sha256),
        )


def refuse_changed(migration: Migration, applied: Applied) -> None:
    """Raise where a file is no more what the database was migrated with."""
    if migration.sha256 != applied.sha256:
        raise InvalidInputError(
            f"migration {migration.name}",
            f"a text of sha256 {migration.sha256}",
            f"the text that this database was migrated with (sha256 {applied.sha256}): "
            "an applied file never changes, a new file does",
        )


def refuse_incompatible(applied: Mapping[str, Applied], known: Sequence[Migration]) -> None:
    """Raise where a newer version has applied what this one cannot run beside."""
    names = {migration.name for migration in known}
    newest = max((migration.number for migration in known), default="0000")
    barriers = sorted(
        one.name
        for one in applied.values()
        if one.name not in names and one.after is not None and one.after > newest
    )
    if barriers:
        raise InvalidInputError(
            "database",
            barriers,
            f"migrations that a version with those up to {newest} can run beside: "
            "a newer AetherOps was here, use it",
        )

"""Migrations: numbered SQL files, applied in order, each once and whole."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

import structlog

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from aetherops.connections.postgres import Postgres, PostgresConnection

__all__ = ["migrate"]

_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
# Any number that no other user of the database takes: instances that start together wait here.
_ADVISORY_LOCK = 0x_AE7E_0000_0001
_TIMEOUT_S = 3600.0
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
    name       text PRIMARY KEY,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: ``name`` is its file name without ``.sql``, ``sha256`` that of its text."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


async def migrate(postgres: Postgres, directory: Traversable | None = None) -> list[str]:
    """Bring the database up to date and return the names of what was applied now.

    Each file runs in a transaction of its own under an advisory lock, so that replicas may start
    together. A failing file leaves those before it applied and nothing of itself.

    Parameters
    ----------
    postgres : the database to change.
    directory : of files ``NNNN_name.sql``; those of the package by default.

    Raises
    ------
    InvalidInputError
        A file name has another form or a number twice; an applied file has changed since; or the
        database has migrations that this version does not know.
    """
    migrations = _read(directory or files("aetherops.migrations"))
    applied = []
    async with postgres.connection() as connection:
        for migration in migrations:
            async with connection.transaction():
                if await _apply(connection, migration, migrations):
                    applied.append(migration.name)
                    _log.info("migration_applied", name=migration.name)
    return applied


async def _apply(
    connection: PostgresConnection,
    migration: Migration,
    all_migrations: Iterable[Migration],
) -> bool:
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _ADVISORY_LOCK, timeout=_TIMEOUT_S)
    await connection.execute(_TABLE)
    rows = await connection.fetch("SELECT name, sha256 FROM schema_migration")
    present = {row["name"]: row["sha256"] for row in rows}
    _refuse_unknown(present, all_migrations)
    if migration.name in present:
        _refuse_changed(migration, present[migration.name])
        return False
    await connection.execute(migration.sql, timeout=_TIMEOUT_S)
    await connection.execute(
        "INSERT INTO schema_migration (name, sha256) VALUES ($1, $2)",
        migration.name,
        migration.sha256,
    )
    return True


def _read(directory: Traversable) -> list[Migration]:
    migrations: dict[str, Migration] = {}
    for file in sorted(directory.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".sql"):
            continue
        match = _FILE_NAME.fullmatch(file.name)
        if match is None or match[1] in migrations:
            raise InvalidInputError(
                "migration", file.name, "a name as 0001_what_it_does.sql, each number once"
            )
        migrations[match[1]] = Migration(file.name.removesuffix(".sql"), file.read_text("utf-8"))
    return list(migrations.values())


def _refuse_changed(migration: Migration, applied_sha256: str) -> None:
    if migration.sha256 != applied_sha256:
        raise InvalidInputError(
            f"migration {migration.name}",
            f"a text of sha256 {migration.sha256}",
            f"the text that this database was migrated with (sha256 {applied_sha256}): "
            "an applied file never changes, a new file does",
        )


def _refuse_unknown(present: Iterable[str], known: Iterable[Migration]) -> None:
    unknown = sorted(set(present) - {migration.name for migration in known})
    if unknown:
        raise InvalidInputError(
            "database", unknown, "migrations of this version alone: a newer AetherOps was here"
        )

"""Databases as the version before made them, and roles of the test's own."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest
import pytest_asyncio

from aetherops.connections.postgres import Postgres

#: The migrations of the version before there were declarations, and how it kept account of them.
BEFORE = ("0001_telemetry", "0002_acceptance")
BEFORE_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migration (
    name       text PRIMARY KEY,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


async def start_of_the_version_before(postgres: Postgres) -> list[str]:
    """What a start of that version did to the database; it refused every row it did not know."""
    applied = []
    async with postgres.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", 0x_AE7E_0000_0001)
        await connection.execute(BEFORE_LEDGER)
        rows = await connection.fetch("SELECT name, sha256 FROM schema_migration")
        present = {row["name"]: row["sha256"] for row in rows}
        assert set(present) <= set(BEFORE), "the version before refuses to start"
        for name in BEFORE:
            sql = (files("aetherops.migrations") / f"{name}.sql").read_text("utf-8")
            digest = hashlib.sha256(sql.encode()).hexdigest()
            if name in present:
                assert present[name] == digest
                continue
            await connection.execute(sql)
            insert = "INSERT INTO schema_migration (name, sha256) VALUES ($1, $2)"
            await connection.execute(insert, name, digest)
            applied.append(name)
    return applied


@pytest_asyncio.fixture
async def empty(postgres: Postgres) -> Postgres:
    """A database as one finds it that no migration has touched."""
    await postgres.pool.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    # The sessions have prepared statements on tables that are gone.
    await postgres.pool.expire_connections()
    return postgres


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Two migrations of the first versions, which declare nothing."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (n integer);")
    (tmp_path / "0002_second.sql").write_text(
        "CREATE TABLE second (n integer); INSERT INTO first VALUES (1);"
    )
    (tmp_path / "notes.txt").write_text("not a migration")
    return tmp_path


@pytest_asyncio.fixture
async def two_roles(postgres: Postgres) -> AsyncIterator[tuple[str, str]]:
    """Addresses of a new, empty database for its owner and for another role, made by hand."""
    pool = postgres.pool
    database, owner, runtime = "by_hand", "by_hand_owner", "by_hand_runtime"
    host = await pool.fetchval("SHOW unix_socket_directories")
    for role in (owner, runtime):
        await pool.execute(f"CREATE ROLE {role} LOGIN")
    await pool.execute(f"CREATE DATABASE {database} OWNER {owner}")
    address = f"@/{database}?host={host.strip(chr(34)).replace('/', '%2F')}"
    yield f"postgresql://{owner}{address}", f"postgresql://{runtime}{address}"
    await pool.execute(f"DROP DATABASE {database} WITH (FORCE)")
    for role in (owner, runtime):
        await pool.execute(f"DROP ROLE {role}")

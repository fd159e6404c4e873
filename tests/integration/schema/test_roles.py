"""Owner and runtime as two roles: what each may do, and how set-ups of before go on."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from aetherops.bootstrap.schema import ensure_schema
from aetherops.connections.endpoints import Endpoints
from aetherops.connections.postgres import Postgres
from aetherops.migrations.rights import RUNTIME_RIGHTS
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.migrate import SchemaOutdatedError, migrate
from aetherops.runtime.settings import Settings

from .conftest import start_of_the_version_before

pytestmark = pytest.mark.integration

APPEND_ONLY = [
    table
    for table, rights in RUNTIME_RIGHTS.items()
    if set(rights) <= {"SELECT", "INSERT"} and table != "stream_summary"  # a view of many rows
]
RELATIONS = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
"""


async def test_every_table_says_what_the_runtime_role_may_do(postgres: Postgres) -> None:
    assert {row[0] for row in await postgres.pool.fetch(RELATIONS)} == set(RUNTIME_RIGHTS)


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_what_is_only_appended_to_cannot_be_changed_by_who_serves(
    runtime_postgres: Postgres, table: str
) -> None:
    pool = runtime_postgres.pool
    column = await pool.fetchval(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum = 1", table
    )
    for statement in (
        f"UPDATE {table} SET {column} = DEFAULT",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (n integer)",
        "DROP TABLE receipt",
        "ALTER TABLE receipt DISABLE TRIGGER ALL",
        "TRUNCATE chunk",
        "SET ROLE aetherops",
    ],
)
async def test_who_serves_cannot_change_the_schema_or_its_rights(
    runtime_postgres: Postgres, statement: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await runtime_postgres.pool.execute(statement)


async def test_rights_are_put_right_and_that_is_told_once(postgres: Postgres) -> None:
    role = "aetherops_runtime"
    await postgres.pool.execute(
        f"GRANT UPDATE, TRUNCATE ON receipt TO {role}; REVOKE INSERT ON chunk FROM {role}"
    )
    with capture_logs() as logs:
        for _ in range(2):
            await migrate(postgres, runtime_role=role)

    granted = [one for one in logs if one["event"] == "rights_granted"]
    assert [sorted(one["tables"]) for one in granted] == [["chunk", "receipt"]]
    for right, has in (("UPDATE", False), ("TRUNCATE", False), ("INSERT", True)):
        found = "SELECT has_table_privilege($1::name, 'receipt', $2)"
        assert await postgres.pool.fetchval(found, role, right) is has


def endpoints_at(dsn: str, owner_dsn: str | None = None) -> Endpoints:
    return Endpoints(dsn, "redis://elsewhere", "nats://elsewhere", owner_dsn)


async def test_a_single_role_migrates_as_it_did_and_is_told_so(
    two_roles: tuple[str, str],
) -> None:
    owner, _ = two_roles
    async with Postgres.connect(owner) as alone:
        await start_of_the_version_before(alone)
        with capture_logs() as logs:
            await ensure_schema(endpoints_at(owner), alone)
        assert await alone.pool.fetchval("SELECT to_regclass('schema_change')") is not None
    assert [one["role"] for one in logs if one["event"] == "roles_not_separated"] == [
        "by_hand_owner"
    ]


async def test_two_roles_of_your_own_are_set_up_by_one_command(
    two_roles: tuple[str, str], tmp_path: Path
) -> None:
    owner, runtime = two_roles
    status, _, told = await command(
        "up", "--data-dir", str(tmp_path), "--port", "0", POSTGRES_DSN=runtime
    )
    assert status == 3
    assert "lacks 0001_telemetry" in told
    assert "AETHEROPS_POSTGRES_OWNER_DSN=postgresql://OWNER@HOST/DATABASE aetherops migrate" in told

    status, printed, _ = await command("migrate", POSTGRES_DSN=runtime, POSTGRES_OWNER_DSN=owner)
    assert status == 0
    assert "applied 0001_telemetry\n" in printed
    assert printed.endswith("the database is up to date, and by_hand_runtime may use it\n")

    async with Postgres.connect(runtime) as serving:
        with capture_logs() as logs:
            await ensure_schema(endpoints_at(runtime), serving)
        assert logs == []
        await serving.pool.execute("INSERT INTO receipt VALUES (gen_random_uuid(), 1, 1, 1)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await serving.pool.execute("DELETE FROM receipt")


async def test_a_database_that_is_behind_is_refused_by_the_role_that_serves(
    two_roles: tuple[str, str],
) -> None:
    owner, runtime = two_roles
    async with Postgres.connect(owner) as owning:
        await migrate(owning, runtime_role="by_hand_runtime")
        await owning.pool.execute("DELETE FROM schema_migration WHERE name = '0002_acceptance'")
    async with Postgres.connect(runtime) as serving:
        with pytest.raises(SchemaOutdatedError, match="lacks 0002_acceptance: run"):
            await ensure_schema(endpoints_at(runtime), serving)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, "AETHEROPS_POSTGRES_OWNER_DSN: expected the address of your PostgreSQL"),
        ({"POSTGRES_OWNER_DSN": "owner"}, "--grant-to: expected the role that `aetherops up`"),
        (
            {"POSTGRES_DSN": "owner", "POSTGRES_OWNER_DSN": "runtime"},
            "AETHEROPS_POSTGRES_OWNER_DSN: expected a role that owns AetherOps's tables",
        ),
        ({"POSTGRES_OWNER_DSN": "owner", "to": "nobody-here"}, "no database role is named"),
    ],
)
async def test_what_migrate_lacks_is_named(
    two_roles: tuple[str, str], given: dict[str, str], wrong: str
) -> None:
    addresses = dict(zip(("owner", "runtime"), two_roles, strict=True))
    options = ["--grant-to", given["to"]] if "to" in given else []
    dsns = {name: addresses[which] for name, which in given.items() if name != "to"}
    if given.get("POSTGRES_OWNER_DSN") == "runtime":
        async with Postgres.connect(addresses["owner"]) as owning:
            await migrate(owning)

    status, _, told = await command("migrate", *options, **dsns)

    assert status == 2
    assert told.splitlines()[-1].startswith(f"aetherops: {wrong}")


async def command(*arguments: str, **settings: str) -> tuple[int, str, str]:
    """Run ``aetherops`` with these settings: its status, and what it printed and told."""
    variables = {f"AETHEROPS_{name}": value for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "aetherops.cli", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | variables,
    )
    printed, told = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode(), told.decode()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="aetherops-tests-"))
    yield directory
    shutil.rmtree(directory)


async def test_a_data_directory_of_the_version_before_is_taken_over_in_place(
    data_dir: Path,
) -> None:
    settings = Settings(
        data_dir=data_dir, redis_url="redis://elsewhere", nats_url="nats://elsewhere"
    )
    async with (
        running_servers(settings) as endpoints,
        Postgres.connect(endpoints.postgres_owner_dsn) as owner,
    ):
        await owner.pool.execute("DROP ROLE aetherops_runtime")
        await start_of_the_version_before(owner)
        await owner.pool.execute(
            "INSERT INTO stream (name, unit, kind) VALUES ('a/b/c', 'km', 'gauge')"
        )

    async with (
        running_servers(settings) as endpoints,
        Postgres.connect(endpoints.postgres_dsn) as serving,
    ):
        await ensure_schema(endpoints, serving)
        assert await serving.pool.fetchval("SELECT current_user") == "aetherops_runtime"
        assert await serving.pool.fetchval("SELECT unit FROM stream") == "km"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await serving.pool.execute("DELETE FROM receipt")

"""Migrations on a real, empty database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from aetherops.connections.postgres import Postgres
from aetherops.errors import InvalidInputError
from aetherops.runtime.migrate import migrate

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def empty(postgres: Postgres) -> Postgres:
    """A database as one finds it that no migration has touched."""
    await postgres.pool.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    # The sessions have prepared statements on tables that are gone.
    await postgres.pool.expire_connections()
    return postgres


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (n integer);")
    (tmp_path / "0002_second.sql").write_text(
        "CREATE TABLE second (n integer); INSERT INTO first VALUES (1);"
    )
    (tmp_path / "notes.txt").write_text("not a migration")
    return tmp_path


async def test_the_packages_own_migrations_apply_to_an_empty_database(
    empty: Postgres,
) -> None:
    assert "0001_telemetry" in await migrate(empty)
    assert await migrate(empty) == []


async def test_files_are_applied_in_order_and_each_once(empty: Postgres, directory: Path) -> None:
    assert await migrate(empty, directory) == ["0001_first", "0002_second"]
    assert await migrate(empty, directory) == []
    assert await empty.pool.fetchval("SELECT count(*) FROM first") == 1


async def test_a_new_file_is_applied_on_top(empty: Postgres, directory: Path) -> None:
    await migrate(empty, directory)
    (directory / "0003_third.sql").write_text("INSERT INTO first VALUES (3);")

    assert await migrate(empty, directory) == ["0003_third"]


async def test_a_failing_file_leaves_nothing_of_itself_and_all_before_it(
    empty: Postgres, directory: Path
) -> None:
    (directory / "0003_third.sql").write_text("CREATE TABLE third (n integer); SELECT 1 / 0;")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty, directory)

    assert await empty.pool.fetchval("SELECT to_regclass('second')") is not None
    assert await empty.pool.fetchval("SELECT to_regclass('third')") is None
    (directory / "0003_third.sql").write_text("CREATE TABLE third (n integer);")
    assert await migrate(empty, directory) == ["0003_third"]


async def test_an_applied_file_that_changed_is_an_error(empty: Postgres, directory: Path) -> None:
    await migrate(empty, directory)
    (directory / "0001_first.sql").write_text("CREATE TABLE first (n bigint);")

    with pytest.raises(InvalidInputError, match=r"^migration 0001_first: .*never changes"):
        await migrate(empty, directory)


async def test_a_database_of_a_newer_version_is_refused(empty: Postgres, directory: Path) -> None:
    await migrate(empty, directory)
    (directory / "0002_second.sql").unlink()

    with pytest.raises(InvalidInputError, match=r"newer AetherOps.*0002_second"):
        await migrate(empty, directory)


@pytest.mark.parametrize("name", ["3_third.sql", "0003-third.sql", "0002_again.sql", "x.sql"])
async def test_a_name_that_has_no_place_in_the_order_is_refused_before_anything_runs(
    empty: Postgres, directory: Path, name: str
) -> None:
    (directory / name).write_text("SELECT 1;")

    with pytest.raises(InvalidInputError, match=r"^migration: "):
        await migrate(empty, directory)

    assert await empty.pool.fetchval("SELECT to_regclass('first')") is None


async def test_instances_that_start_together_apply_each_file_once(
    empty: Postgres, directory: Path
) -> None:
    (directory / "0001_first.sql").write_text(
        "CREATE TABLE first (n integer); SELECT pg_sleep(0.1);"
    )

    applied = await asyncio.gather(*(migrate(empty, directory) for _ in range(5)))

    assert sorted(name for names in applied for name in names) == ["0001_first", "0002_second"]
    assert await empty.pool.fetchval("SELECT count(*) FROM first") == 1

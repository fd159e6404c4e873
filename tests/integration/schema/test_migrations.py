"""Migrations on a real, empty database."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from aetherops.connections.postgres import Postgres
from aetherops.errors import InvalidInputError
from aetherops.runtime.migrate import MigrationBlockedError, migrate, missing_migrations
from aetherops.runtime.migrate.files import read_migrations

pytestmark = pytest.mark.integration


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
    (directory / "0003_third.sql").write_text("-- expand\nINSERT INTO first VALUES (3);")

    assert await migrate(empty, directory) == ["0003_third"]


async def test_a_failing_file_leaves_nothing_of_itself_and_all_before_it(
    empty: Postgres, directory: Path
) -> None:
    (directory / "0003_third.sql").write_text(
        "-- expand\nCREATE TABLE third (n integer); SELECT 1 / 0;"
    )

    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty, directory)

    assert await empty.pool.fetchval("SELECT to_regclass('second')") is not None
    assert await empty.pool.fetchval("SELECT to_regclass('third')") is None
    (directory / "0003_third.sql").write_text("-- expand\nCREATE TABLE third (n integer);")
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


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("CREATE TABLE third (n integer);", "expected -- expand, or -- contract after NNNN"),
        ("-- expand later\nSELECT 1;", "expected -- expand"),
        ("-- contract after 0004\nSELECT 1;", "expected a number up to its own, got '0004'"),
        ("-- expand, in steps\nSELECT 1;", "expected lines that say: -- step"),
    ],
)
async def test_a_new_file_declares_what_it_is(
    empty: Postgres, directory: Path, text: str, wrong: str
) -> None:
    (directory / "0003_third.sql").write_text(text)

    with pytest.raises(InvalidInputError, match=f"^migration 0003_third: {wrong}"):
        await migrate(empty, directory)


async def test_steps_are_committed_one_by_one_and_repeat_until_nothing_changes(
    empty: Postgres, directory: Path
) -> None:
    (directory / "0003_filled.sql").write_text(
        """-- expand, in steps
-- step
INSERT INTO second SELECT generate_series(1, 10);
-- step
CREATE INDEX CONCURRENTLY IF NOT EXISTS second_n ON second (n);
-- step: repeat
DELETE FROM second WHERE n IN (SELECT n FROM second ORDER BY n LIMIT 3);
-- step
SELECT 1 / 0;
"""
    )

    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty, directory)

    assert await empty.pool.fetchval("SELECT count(*) FROM second") == 0
    assert await empty.pool.fetchval(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'second_n'::regclass"
    )
    assert await missing_migrations(empty, directory) == ["0003_filled"]


async def test_who_reads_is_not_kept_waiting_by_a_migration_that_waits_for_a_long_transaction(
    empty: Postgres, directory: Path
) -> None:
    await migrate(empty, directory)
    (directory / "0003_wider.sql").write_text("-- expand\nALTER TABLE first ADD COLUMN m integer;")

    with capture_logs() as logs:
        async with empty.pool.acquire() as reader:
            async with reader.transaction():
                await reader.fetch("SELECT * FROM first")
                migrating = asyncio.create_task(migrate(empty, directory))
                await until_waits_for_lock(empty)
                # Behind the waiting migration; it would stand there as long as the transaction.
                assert await empty.pool.fetchval("SELECT count(*) FROM first") == 1
                assert not migrating.done()
            assert await migrating == ["0003_wider"]

    assert [one["event"] for one in logs] == ["migration_delayed", "migration_applied"]


async def test_a_migration_that_gets_no_lock_gives_up_and_names_itself(
    empty: Postgres, directory: Path
) -> None:
    await migrate(empty, directory)
    (directory / "0003_wider.sql").write_text("-- expand\nALTER TABLE first ADD COLUMN m integer;")

    async with empty.pool.acquire() as reader, reader.transaction():
        await reader.fetch("SELECT * FROM first")
        with pytest.raises(MigrationBlockedError, match="0003_wider got no lock"):
            await migrate(empty, directory, patience_s=0)

    assert await migrate(empty, directory) == ["0003_wider"]


async def test_a_session_is_left_as_it_was(empty: Postgres, directory: Path) -> None:
    show = "SELECT name, setting FROM pg_settings WHERE source = 'session' ORDER BY 1"
    async with Postgres.connect(await dsn_of(empty), pool_size=1) as one:
        before = await one.pool.fetch(show)
        await migrate(one, directory)
        assert await one.pool.fetch(show) == before
        held = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
        assert await one.pool.fetchval(held) == 0


async def dsn_of(postgres: Postgres) -> str:
    database = await postgres.pool.fetchval("SELECT current_database()")
    host = await postgres.pool.fetchval("SHOW unix_socket_directories")
    return f"postgresql://aetherops@/{database}?host={host.strip(chr(34)).replace('/', '%2F')}"


async def until_waits_for_lock(postgres: Postgres) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'first'::regclass"
    async with asyncio.timeout(30):
        while not await postgres.pool.fetchval(waiting):
            await asyncio.sleep(0.01)


def test_no_migration_of_the_package_rewrites_a_table_or_scans_it_under_an_exclusive_lock() -> None:
    slow = re.compile(
        r"ALTER COLUMN \S+ (SET DATA )?TYPE|SET NOT NULL|VACUUM FULL|^CLUSTER|"
        r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)\S+ ON (stream|chunk|receipt)\b|"
        r"ADD (CONSTRAINT \S+ )?(CHECK|FOREIGN KEY)(?!.*NOT VALID)|gen_random_uuid|random\(\)",
        re.IGNORECASE | re.MULTILINE,
    )
    declared = [one for one in read_migrations() if one.is_declared]
    found = {one.name: match[0] for one in declared if (match := slow.search(one.sql))}
    assert found == {}

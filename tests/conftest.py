"""Fixtures of the whole suite: real servers, started once, and a fresh database for each test."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio
from alone_last import (  # noqa: F401 - of all tests
    named_alone,
    pytest_generate_tests,
    pytest_xdist_make_scheduler,
)
from hypothesis import HealthCheck, settings as hypothesis_settings
from nats.aio.client import Client as NatsClient
from nats.js import JetStreamContext
from redis.asyncio import Redis as RedisClient

from aetherops.connections.endpoints import Endpoints
from aetherops.connections.nats import Nats
from aetherops.connections.postgres import Postgres
from aetherops.connections.redis import Redis
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.migrate import migrate
from aetherops.runtime.settings import Settings

# A busy machine draws slowly, and is no fault of what is tested.
hypothesis_settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("any-machine")

_MEMORY = Path("/dev/shm")
_ENOUGH_BYTES = 4 * 2**30
_TEMPLATE = "aetherops_template"
_database_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """Tests mean the same on every machine: no setting is taken from its environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(f"AETHEROPS_{name.upper()}", raising=False)
        yield


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """Settings of an instance with embedded servers and a data directory of its own."""
    # Not pytest's tmp_path: its parents are closed to the system user that PostgreSQL runs as when
    # the tests run as root. In memory where there is room: each test's database is synchronised.
    in_memory = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES
    data_dir = tempfile.mkdtemp(prefix="aetherops-tests-", dir=_MEMORY if in_memory else None)
    try:
        yield Settings(data_dir=Path(data_dir))
    finally:
        shutil.rmtree(data_dir)


@pytest_asyncio.fixture(scope="session")
async def servers(settings: Settings) -> AsyncIterator[Endpoints]:
    """Addresses of running PostgreSQL, NATS and Valkey servers."""
    async with running_servers(settings) as endpoints:
        yield endpoints


@pytest_asyncio.fixture(scope="session")
async def _postgres_template(servers: Endpoints) -> AsyncIterator[asyncpg.Pool]:
    """A migrated database to copy; the pool given is of another one, from which copies are made."""
    owner_dsn = servers.postgres_owner_dsn
    assert owner_dsn is not None
    async with Postgres.connect(owner_dsn) as postgres:
        await postgres.pool.execute(f"CREATE DATABASE {_TEMPLATE}")
        async with Postgres.connect(_with_database(owner_dsn, _TEMPLATE)) as template:
            await migrate(template, runtime_role=urlsplit(servers.postgres_dsn).username)
        yield postgres.pool


@pytest_asyncio.fixture
async def postgres_dsn(_postgres_template: asyncpg.Pool, servers: Endpoints) -> AsyncIterator[str]:
    """DSN of a migrated, empty database that only this test sees, as its owner."""
    name = f"test_{next(_database_numbers)}"
    await _postgres_template.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    yield _with_database(servers.postgres_owner_dsn or "", name)
    await _postgres_template.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def postgres(postgres_dsn: str) -> AsyncIterator[Postgres]:
    """Connections to this test's own database as its owner, behind a breaker."""
    async with Postgres.connect(postgres_dsn) as postgres:
        yield postgres


@pytest.fixture
def runtime_dsn(postgres_dsn: str, servers: Endpoints) -> str:
    """DSN of the same database as the role that serves has it."""
    return _with_database(servers.postgres_dsn, urlsplit(postgres_dsn).path[1:])


@pytest_asyncio.fixture
async def runtime_postgres(runtime_dsn: str) -> AsyncIterator[Postgres]:
    """Connections to this test's own database as the role that serves, behind a breaker."""
    async with Postgres.connect(runtime_dsn) as postgres:
        yield postgres


@pytest.fixture
def postgres_pool(postgres: Postgres) -> asyncpg.Pool:
    """The same connections, without their breaker."""
    return postgres.pool


@pytest_asyncio.fixture
async def guarded_nats(servers: Endpoints) -> AsyncIterator[Nats]:
    """A connection to NATS behind a breaker; the test's streams go with it."""
    async with Nats.connect(servers.nats_url) as nats:
        yield nats
        for stream in await nats.js.streams_info():
            await nats.js.delete_stream(stream.config.name or "")


@pytest.fixture
def nats(guarded_nats: Nats) -> NatsClient:
    """The same connection, without its breaker."""
    return guarded_nats.client


@pytest.fixture
def jetstream(guarded_nats: Nats) -> JetStreamContext:
    """JetStream without a stream."""
    return guarded_nats.js


@pytest_asyncio.fixture
async def guarded_redis(servers: Endpoints) -> AsyncIterator[Redis]:
    """A client of an empty Valkey, behind a breaker."""
    async with Redis.connect(servers.redis_url) as redis:
        yield redis
        await redis.client.flushall()


@pytest.fixture
def redis(guarded_redis: Redis) -> RedisClient:
    """The same client, without its breaker."""
    return guarded_redis.client


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Directory of real recordings, beside the project; tests that need it skip where it is not."""
    directory = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not directory.is_dir():
        pytest.skip("no recordings beside the project")
    return directory


def _with_database(dsn: str, name: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))

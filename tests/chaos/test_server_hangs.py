"""A server that hangs, stopped and not ended: every use of it ends in time, and it recovers."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

from aetherops.connections.nats import Nats
from aetherops.connections.postgres import Postgres
from aetherops.connections.redis import Redis
from aetherops.errors import UnavailableError
from aetherops.runtime.embedded import running_servers, watch
from aetherops.runtime.settings import Settings

pytestmark = [pytest.mark.chaos, pytest.mark.integration]

#: Limit on a command; all that a use adds to it (to give a connection back) is less than SLACK_S.
LIMIT_S, SLACK_S = 0.5, 5.0


@pytest.fixture
def data_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="aetherops-tests-"))
    yield directory
    shutil.rmtree(directory)


def settings_of(server: str, data_dir: Path) -> Settings:
    names = {"postgres": "postgres_dsn", "valkey": "redis_url", "nats": "nats_url"}
    given = {name: "given://elsewhere" for one, name in names.items() if one != server}
    return Settings.model_validate({"data_dir": data_dir, **given})


def states(pid: int) -> list[str]:
    return [stat.read_text() for stat in Path(f"/proc/{pid}/task").glob("*/stat")]


@contextmanager
def hung(data_dir: Path, server: str) -> Iterator[None]:
    """The server and its children stand still while the block runs."""
    pid = int((data_dir / server / f"{server}.pid").read_text())
    children = [int(task) for task in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for one in (pid, *children):
        os.kill(one, signal.SIGSTOP)
        while any(") T" not in text for text in states(one)):
            pass  # a thread stops when it next looks
    try:
        yield
    finally:
        for one in (*children, pid):
            os.kill(one, signal.SIGCONT)


async def until_it_answers(probe: object) -> None:
    async with asyncio.timeout(60):
        while not await probe():  # type: ignore[operator]
            await asyncio.sleep(0.05)


async def test_postgres_that_hangs_is_given_up_in_time_and_used_again(data_dir: Path) -> None:
    async with (
        running_servers(settings_of("postgres", data_dir)) as endpoints,
        Postgres.connect(
            endpoints.postgres_dsn, pool_size=2, connect_timeout_s=1.0, command_timeout_s=LIMIT_S
        ) as postgres,
    ):

        async def ask() -> object:
            async with postgres.connection() as connection:
                return await connection.fetchval("SELECT 1")

        assert await ask() == 1
        with hung(data_dir, "postgres"):
            # More than there are connections: who waits for one is told in time, too.
            async with asyncio.timeout(LIMIT_S * 4 + SLACK_S):
                answers = await asyncio.gather(*(ask() for _ in range(6)), return_exceptions=True)
            assert all(isinstance(answer, UnavailableError) for answer in answers)
            async with asyncio.timeout(2.0 + SLACK_S):
                assert not await postgres.probe()
        await until_it_answers(postgres.probe)
        postgres.breaker.reset()
        assert await ask() == 1


async def test_nats_that_hangs_is_given_up_in_time_and_used_again(data_dir: Path) -> None:
    async with (
        running_servers(settings_of("nats", data_dir)) as endpoints,
        Nats.connect(endpoints.nats_url, command_timeout_s=LIMIT_S) as nats,
    ):
        with hung(data_dir, "nats"):
            async with asyncio.timeout(LIMIT_S + SLACK_S):
                with pytest.raises(UnavailableError):
                    async with nats.guarded():
                        await nats.js.account_info()
            assert not await nats.probe(LIMIT_S)
        await until_it_answers(nats.probe)
        async with nats.guarded():
            await nats.js.account_info()


async def test_valkey_that_hangs_is_given_up_in_time_and_used_again(data_dir: Path) -> None:
    async with (
        running_servers(settings_of("valkey", data_dir)) as endpoints,
        Redis.connect(
            endpoints.redis_url, connect_timeout_s=1.0, command_timeout_s=LIMIT_S
        ) as redis,
    ):
        with hung(data_dir, "valkey"):
            async with asyncio.timeout(LIMIT_S * 2 + SLACK_S):
                with pytest.raises(UnavailableError):
                    async with redis.guarded() as client:
                        await client.ping()
        await until_it_answers(redis.probe)
        redis.breaker.reset()
        async with redis.guarded() as client:
            assert await client.ping()


async def test_nats_that_is_away_is_told_once_as_it_goes_and_once_as_it_is_back(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_RESTART_AFTER_S", 2.0)  # for several vain reconnections
    with structlog.testing.capture_logs() as logs:
        async with (
            running_servers(settings_of("nats", data_dir)) as endpoints,
            Nats.connect(endpoints.nats_url) as nats,
        ):
            os.kill(int((data_dir / "nats" / "nats.pid").read_text()), signal.SIGKILL)
            async with asyncio.timeout(60):
                while not any(one["event"] == "nats_reconnected" for one in logs):
                    await asyncio.sleep(0.05)
            assert nats.client.is_connected

    told = [one for one in logs if one["event"].startswith("nats_")]
    assert [one["event"] for one in told] == ["nats_disconnected", "nats_reconnected"]
    assert told[1]["failures"] >= 2

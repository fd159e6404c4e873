"""Embedded servers that end or hang are started anew, whatever happens while they come up."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from aetherops.connections.postgres import Answer, answer_of
from aetherops.runtime.embedded import running_servers, watch
from aetherops.runtime.embedded.postgres import EmbeddedPostgres
from aetherops.runtime.settings import Settings
from aetherops.runtime.unforeseen import unforeseen_errors

pytestmark = [pytest.mark.chaos, pytest.mark.integration]

SERVERS = ("postgres", "valkey", "nats")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="aetherops-tests-"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_PROBE_EVERY_S", 0.2)
    monkeypatch.setattr(watch, "_PROBE_LIMIT_S", 2.0)


def only(server: str, data_dir: Path) -> Settings:
    """Settings by which this server alone is embedded."""
    names = {"postgres": "postgres_dsn", "valkey": "redis_url", "nats": "nats_url"}
    given = {name: "given://elsewhere" for one, name in names.items() if one != server}
    return Settings.model_validate({"data_dir": data_dir, **given})


def pid_of(data_dir: Path, server: str) -> int:
    return int((data_dir / server / f"{server}.pid").read_text() or 0)


async def next_pid(data_dir: Path, server: str, before: int) -> int:
    while (pid := pid_of(data_dir, server)) in (before, 0):
        await asyncio.sleep(0.002)
    return pid


async def until_ready(dsn: str) -> None:
    async with asyncio.timeout(90):
        while await answer_of(dsn) is not Answer.READY:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("server", SERVERS)
async def test_a_server_that_lives_and_hangs_is_started_anew(data_dir: Path, server: str) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running_servers(only(server, data_dir)), asyncio.timeout(90):
            hung = pid_of(data_dir, server)
            os.kill(hung, signal.SIGSTOP)
            assert await next_pid(data_dir, server, hung)

    assert [one["server"] for one in logs if one["event"] == "server_stalled"] == [server]


@pytest.mark.parametrize("server", SERVERS)
async def test_a_server_that_answers_is_left_alone(
    data_dir: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_PROBE_EVERY_S", 0.01)
    with structlog.testing.capture_logs() as logs:
        async with running_servers(only(server, data_dir)):
            pid = pid_of(data_dir, server)
            await asyncio.sleep(1.0)
            assert pid_of(data_dir, server) == pid

    assert not [one for one in logs if one["log_level"] == "error"]


async def test_postgres_that_is_killed_just_as_it_comes_up_comes_up_in_the_end(
    data_dir: Path,
) -> None:
    async with running_servers(only("postgres", data_dir)) as endpoints:
        pid = pid_of(data_dir, "postgres")
        os.kill(pid, signal.SIGKILL)
        for attempt in range(5):
            async with asyncio.timeout(60):
                pid = await next_pid(data_dir, "postgres", pid)
            await asyncio.sleep(0.04 * attempt)  # at each stage of its start
            os.kill(pid, signal.SIGKILL)
        await until_ready(endpoints.postgres_dsn)


async def test_a_watch_goes_on_after_an_error_that_nobody_foresaw(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, starts = EmbeddedPostgres.start, 0

    async def stumbling(self: EmbeddedPostgres) -> str:
        nonlocal starts
        starts += 1
        address = await start(self)
        if starts <= 2:
            raise ZeroDivisionError("nobody foresaw this")
        return address

    met_before = unforeseen_errors().get("postgres-watch", 0)
    with structlog.testing.capture_logs() as logs:
        async with running_servers(only("postgres", data_dir)) as endpoints:
            monkeypatch.setattr(EmbeddedPostgres, "start", stumbling)
            os.kill(pid_of(data_dir, "postgres"), signal.SIGKILL)
            async with asyncio.timeout(60):
                while starts < 3:
                    await asyncio.sleep(0.05)
            await until_ready(endpoints.postgres_dsn)

    assert unforeseen_errors()["postgres-watch"] == met_before + 2
    assert "loop_failed" in [one["event"] for one in logs]

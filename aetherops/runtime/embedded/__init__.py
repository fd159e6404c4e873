"""PostgreSQL, NATS and Valkey from wheels: real servers, as children of this process.

Their data lives in the data directory and survives restarts. What an earlier run left behind (stale
files, a server whose parent was killed) is cleared on the way; a server that dies is started anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

import structlog

from aetherops.connections.endpoints import Endpoints
from aetherops.errors import AetherOpsError
from aetherops.resilience import Retry
from aetherops.runtime.embedded.nats import EmbeddedNats
from aetherops.runtime.embedded.postgres import EmbeddedPostgres
from aetherops.runtime.embedded.valkey import EmbeddedValkey
from aetherops.runtime.locks import exclusive
from aetherops.runtime.private_files import prepare_data_dir
from aetherops.runtime.settings import Settings

__all__ = ["running_servers"]

_RESTART_AFTER_S = 0.1
#: Less and less eagerly while a server does not come up, and for ever: what needs it waits too.
_RESTART = Retry(attempts=None, base_ms=200, cap_ms=10_000, jitter=0.0, on=(AetherOpsError,))

_log = structlog.get_logger(__name__)


class EmbeddedServer(Protocol):
    """What the three have in common."""

    name: str

    async def start(self) -> str:
        """Start, and return the address once clients are answered: the same at every start."""

    async def ended(self) -> int:
        """Return the exit status once the server has ended."""

    async def stop(self) -> None:
        """End cleanly; harmless where it does not run."""


@asynccontextmanager
async def running_servers(settings: Settings) -> AsyncIterator[Endpoints]:
    """Run the servers that the settings give no address for, as long as the block lasts.

    They start in parallel and stop in order: first NATS, which the data comes from, last
    PostgreSQL, which it goes to.

    Yields
    ------
    Endpoints
        The addresses from the settings, and those of the servers started here.

    Raises
    ------
    InvalidInputError
        The data directory cannot be made or written.
    AlreadyRunningError
        Another process runs servers on it.
    ServerStartError
        A server's package is missing, or it did not start: with the end of its log.
    """
    given = {
        "postgres_dsn": settings.postgres_dsn,
        "redis_url": settings.redis_url,
        "nats_url": settings.nats_url,
    }
    addresses = {name: secret.get_secret_value() for name, secret in given.items() if secret}
    if len(addresses) == len(given):
        yield Endpoints(**addresses)
        return
    data_dir = prepare_data_dir(settings.data_dir)
    all_servers: dict[str, EmbeddedServer] = {
        "postgres_dsn": EmbeddedPostgres(data_dir / "postgres"),
        "redis_url": EmbeddedValkey(data_dir / "valkey"),
        "nats_url": EmbeddedNats(data_dir / "nats"),
    }
    servers = {name: server for name, server in all_servers.items() if name not in addresses}
    async with AsyncExitStack() as stack:
        stack.enter_context(exclusive(data_dir / "servers.lock"))
        for server in servers.values():
            stack.push_async_callback(server.stop)
        addresses |= await _start_all(servers)
        watchers = [asyncio.create_task(_keep_running(server)) for server in servers.values()]
        stack.push_async_callback(_cancel, watchers)
        yield Endpoints(**addresses)


async def _start_all(servers: Mapping[str, EmbeddedServer]) -> dict[str, str]:
    """All at once; the first that fails fails all, after the others have come up or failed."""
    outcomes = await asyncio.gather(
        *(server.start() for server in servers.values()), return_exceptions=True
    )
    addresses = {}
    for name, outcome in zip(servers, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            raise outcome
        addresses[name] = outcome
    return addresses


async def _keep_running(server: EmbeddedServer) -> None:
    """Start the server anew whenever it ends."""
    while True:
        status = await server.ended()
        _log.error("server_ended", server=server.name, status=status, restart_s=_RESTART_AFTER_S)
        await asyncio.sleep(_RESTART_AFTER_S)
        await _RESTART.call_async(_restart, server)


async def _restart(server: EmbeddedServer) -> None:
    try:
        await server.start()
    except AetherOpsError as error:
        _log.error("server_not_restarted", server=server.name, reason=str(error))
        await server.stop()
        raise


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""PostgreSQL, NATS and Valkey from wheels: real servers, as children of this process.

Their data lives in the data directory and survives restarts. What an earlier run left behind (stale
files, a server whose parent was killed) is cleared on the way; a server that dies is started anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from aetherops.connections.endpoints import Endpoints
from aetherops.runtime.data_dir.disk import Disk, byte_text
from aetherops.runtime.data_dir.locks import exclusive
from aetherops.runtime.data_dir.private_files import prepare_data_dir
from aetherops.runtime.embedded.child import ServerStartError
from aetherops.runtime.embedded.nats import EmbeddedNats
from aetherops.runtime.embedded.postgres import EmbeddedPostgres
from aetherops.runtime.embedded.valkey import EmbeddedValkey
from aetherops.runtime.embedded.watch import EmbeddedServer, keep_running, start
from aetherops.runtime.settings import Settings

__all__ = ["running_servers"]


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
    disk = Disk(data_dir, settings.disk_reserve_bytes)
    postgres = EmbeddedPostgres(data_dir / "postgres", disk.wal_bytes())
    all_servers: dict[str, EmbeddedServer] = {
        "postgres_dsn": postgres,
        "redis_url": EmbeddedValkey(data_dir / "valkey"),
        "nats_url": EmbeddedNats(data_dir / "nats"),
    }
    servers = {name: server for name, server in all_servers.items() if name not in addresses}
    async with AsyncExitStack() as stack:
        stack.enter_context(exclusive(data_dir / "servers.lock"))
        _make_room(disk, servers)
        for server in servers.values():
            stack.push_async_callback(server.stop)
        addresses |= await _start_all(servers)
        watchers = [
            asyncio.create_task(
                keep_running(server, disk.make_room_to_start), name=f"{server.name}-watch"
            )
            for server in servers.values()
        ]
        stack.push_async_callback(_cancel, watchers)
        owner_dsn = postgres.owner_dsn if "postgres_dsn" in servers else None
        yield Endpoints(**addresses, postgres_owner_dsn=owner_dsn)


def _make_room(disk: Disk, servers: Mapping[str, EmbeddedServer]) -> None:
    disk.make_room_to_start()
    first = any(not (disk.directory / server.name).exists() for server in servers.values())
    if missing := disk.missing_to_start(first=first):
        raise ServerStartError(
            "servers",
            f"the disk of {disk.directory} has {byte_text(disk.free_bytes())} free: free "
            f"{byte_text(missing)} more of it, or choose another --data-dir",
        )


async def _start_all(servers: Mapping[str, EmbeddedServer]) -> dict[str, str]:
    """All at once; the first that fails fails all, after the others have come up or failed."""
    outcomes = await asyncio.gather(
        *(start(server) for server in servers.values()), return_exceptions=True
    )
    addresses = {}
    for name, outcome in zip(servers, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            raise outcome
        addresses[name] = outcome
    return addresses


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

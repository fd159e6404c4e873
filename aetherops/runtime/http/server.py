"""The HTTP server: uvicorn on a socket of ours, stopped by us and not by its own signals."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, cast

import uvicorn

from aetherops.errors import AetherOpsError
from aetherops.runtime.http.connections import ConnectionTable
from aetherops.runtime.http.protocol import BoundedProtocol
from aetherops.runtime.part import Part
from aetherops.runtime.settings import HttpSettings

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp

__all__ = ["AddressInUseError", "HttpServer", "listening_socket"]

_BACKLOG = 512


class AddressInUseError(AetherOpsError):
    """The address that the application should listen on cannot be had.

    Parameters
    ----------
    host, port : the address.
    reason : what the system said.
    """

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host = host
        self.port = port
        super().__init__(host, port, reason)

    def __str__(self) -> str:
        host, port, reason = self.args
        return f"cannot listen on {host}:{port}: {reason}; choose another with --host and --port"


@contextmanager
def listening_socket(host: str, port: int) -> Iterator[socket.socket]:
    """A bound socket; taken before anything slow starts, so that a taken port is told at once.

    Raises
    ------
    AddressInUseError
        Another process has the port, or the host is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by its connections: without it each answer waits 40 ms for a delayed ACK.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            bound.bind((host, port))
        except OSError as error:
            raise AddressInUseError(host, port, error.strerror or str(error)) from error
        bound.listen(_BACKLOG)
        yield bound


class HttpServer(Part):
    """Serves an ASGI application until stopped; requests under way are answered first.

    Parameters
    ----------
    bound : from `listening_socket`.
    drain_timeout_s : how long requests under way may take when it stops.
    settings : what a connection may hold, and for how long.
    """

    def __init__(
        self,
        application: ASGIApp,
        bound: socket.socket,
        drain_timeout_s: float,
        settings: HttpSettings | None = None,
    ) -> None:
        super().__init__()
        settings = settings or HttpSettings()
        #: What there is of connections, and what was refused.
        self.connections = table = ConnectionTable(settings, monotonic)
        protocol = partial(BoundedProtocol, table, settings.max_head_bytes)
        config = uvicorn.Config(
            application,
            http=cast("type[asyncio.Protocol]", protocol),
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            proxy_headers=False,  # whom to believe is a setting: aetherops.api.http.client_address
            timeout_graceful_shutdown=max(1, int(drain_timeout_s)),
            ws="none",
        )
        self._server = _Server(config, table)
        self._bound = bound

    async def run(self) -> None:
        """Serve until `stop`."""
        await self._server.serve(sockets=[self._bound])

    def stop(self) -> None:
        """Take no new connection, and return from `run` once all are done."""
        super().stop()
        self._server.should_exit = True


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, table: ConnectionTable) -> None:
        super().__init__(config)
        self._table = table

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second while it serves."""
        self._table.sweep()
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals are the supervisor's

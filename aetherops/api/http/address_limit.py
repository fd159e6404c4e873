"""The rate limit of addresses, before anything is read of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.api.http.failures import describe_http
from aetherops.ratelimit.errors import RateLimitedError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from aetherops.api.admission import Gate

__all__ = ["AddressLimit"]

_UNLIMITED_PATHS = frozenset({"/livez", "/healthz", "/readyz", "/metrics"})


class AddressLimit:
    """Refuses requests of an address that asks too often, before anything is read of them.

    The address is that of the connection, or the one that a trusted proxy hands on.
    """

    def __init__(self, app: ASGIApp, gate: Gate | None) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._gate and scope["type"] == "http" and scope["path"] not in _UNLIMITED_PATHS:
            client = scope.get("client")
            try:
                await self._gate.admit(client[0] if client else "unknown")
            except RateLimitedError as refused:
                await describe_http(refused).to_response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

"""What happens around every request: an id, a log line, a measurement, safe headers."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders

from aetherops.api.http.failures import describe_http

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from aetherops.api.metrics.registry import Metrics

__all__ = ["ErrorResponses", "RequestLog", "SecurityHeaders"]

_log = structlog.get_logger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class RequestLog:
    """Names each request, and logs and measures it once it is answered.

    A sender's ``X-Request-Id`` is kept where it is harmless; the answer always has one.
    The query string is not logged: a client may have put anything there.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        routes: Collection[str],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = frozenset(routes)
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = self._clock()
        request_id = _request_id(scope)
        status = 499  # nothing was sent: the client went away

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_named)
            finally:
                self._record(scope, status, self._clock() - started)

    def _record(self, scope: Scope, status: int, duration_s: float) -> None:
        # Labels come from closed sets: a client must not be able to make new series.
        route = scope["path"] if scope["path"] in self._routes else "other"
        method = scope["method"] if scope["method"] in _KNOWN_METHODS else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.latency_s.labels(route).observe(duration_s)
        _log.info(
            "request_ended",
            method=scope["method"],
            path=scope["path"],
            status=status,
            duration_ms=round(duration_s * 1000, 3),
            operator_id=scope.get("state", {}).get("operator_id"),
        )


class SecurityHeaders:
    """Adds the headers that keep a browser from doing what nobody asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safe)


class ErrorResponses:
    """Answers whatever nobody caught with a failure that tells nothing but an id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def send_watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        except Exception as error:
            # Once an answer has begun it can only be broken off.
            if started or scope["type"] != "http":
                raise
            await describe_http(error).to_response()(scope, receive, send)


def _request_id(scope: Scope) -> str:
    sent = Headers(scope=scope).get("x-request-id", "")
    return sent if _REQUEST_ID.fullmatch(sent) else uuid4().hex

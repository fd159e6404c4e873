"""Whether the process lives, whether it can work, and what it has counted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from aetherops.api.http.json_responses import OrjsonResponse
from aetherops.errors import UnavailableError

if TYPE_CHECKING:
    from starlette.requests import Request

    from aetherops.api.services import ApiServices

__all__ = ["HealthEndpoint"]

_READINESS_TIMEOUT_S = 5.0


class HealthEndpoint:
    """``GET /livez``, ``/readyz`` and ``/metrics``; none needs a token or tells a secret.

    ``/healthz`` is another name of ``/livez``.
    """

    def __init__(self, services: ApiServices) -> None:
        self._services = services

    async def show_life(self, request: Request) -> OrjsonResponse:
        """200 as long as the event loop turns."""
        return OrjsonResponse({"alive": True})

    async def show_readiness(self, request: Request) -> OrjsonResponse:
        """200 where questions or ingest work, with what does not; 503 where neither does."""
        try:
            async with asyncio.timeout(_READINESS_TIMEOUT_S):
                found = await self._services.readiness()
        except TimeoutError:
            raise UnavailableError("readiness") from None
        content = {
            "ready": found.ready,
            "questions": found.questions,
            "ingest": found.ingest,
            "reasons": found.reasons,
            "dependencies": found.dependencies,
        }
        if found.ready:
            return OrjsonResponse(content)
        return OrjsonResponse(content, 503, {"Retry-After": "1"})

    async def show_metrics(self, request: Request) -> Response:
        """Everything counted, as Prometheus reads it."""
        content = generate_latest(self._services.metrics.registry)
        return Response(content, media_type=CONTENT_TYPE_LATEST)

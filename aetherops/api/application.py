"""The routes, and what stands around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import Route

from aetherops.api.graphql.engine.engine import GraphQLEngine
from aetherops.api.graphql.http.endpoint import GraphQLEndpoint
from aetherops.api.health import HealthEndpoint
from aetherops.api.http.address_limit import AddressLimit
from aetherops.api.http.client_address import ClientAddress
from aetherops.api.http.deadline import Deadline
from aetherops.api.http.failures import respond_with_failure
from aetherops.api.http.middleware import ErrorResponses, RequestLog, SecurityHeaders
from aetherops.api.metrics.breakers import BreakerCollector
from aetherops.api.metrics.ingest import IngestCollector
from aetherops.api.services import ApiServices
from aetherops.api.telemetry.endpoint import IngestEndpoint
from aetherops.api.telemetry.rejected import RejectedEndpoint
from aetherops.api.telemetry.streams import StreamEndpoint
from aetherops.errors import AetherOpsError
from aetherops.services.breakers import BreakerControl
from aetherops.services.telemetry import SampleRoom, TelemetryQueries

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["ApiServices", "create_application"]


def create_application(services: ApiServices) -> Starlette:
    """The ASGI application over the given services; it starts nothing and connects nowhere."""
    metrics = services.metrics
    metrics.registry.register(BreakerCollector(services.breakers))
    metrics.registry.register(IngestCollector(services.condition))
    routes = _routes(services)
    settings = services.settings
    application = Starlette(
        routes=routes,
        middleware=[
            Middleware(RequestLog, metrics=metrics, routes=[route.path for route in routes]),
            Middleware(SecurityHeaders),
            Middleware(ErrorResponses),
            Middleware(
                ClientAddress, proxies=settings.trusted_proxies, header=settings.proxy_header
            ),
            Middleware(AddressLimit, gate=services.admission.addresses),
            Middleware(Deadline, limit_s=settings.request_timeout_s),
        ],
        exception_handlers={
            HTTPException: respond_with_failure,
            AetherOpsError: respond_with_failure,
        },
    )
    # A redirect to the same path without its slash would repeat whatever Host was sent.
    application.router.redirect_slashes = False
    return application


def _routes(services: ApiServices) -> list[Route]:
    engine = GraphQLEngine(
        TelemetryQueries(services.store, SampleRoom(services.settings.max_samples_in_memory)),
        BreakerControl(services.breakers),
        services.workflows,
        max_samples=services.settings.max_query_samples,
        max_points=services.settings.max_answer_points,
    )
    graphql = GraphQLEndpoint(services, engine)
    ingest = IngestEndpoint(services)
    rejected = RejectedEndpoint(services)
    streams = StreamEndpoint(services)
    health = HealthEndpoint(services)
    return [
        Route("/", _go_to_explorer, methods=["GET"]),
        Route("/graphql", graphql.respond, methods=["GET", "POST"]),
        Route("/v1/telemetry", ingest.accept_batch, methods=["POST"]),
        Route("/v1/receipts", ingest.list_receipts, methods=["POST"]),
        Route("/v1/rejected", rejected.list_batches, methods=["GET"]),
        Route("/v1/rejected/{rejected_id}", rejected.show_batch, methods=["GET"]),
        Route("/v1/rejected/{rejected_id}", rejected.drop_batch, methods=["DELETE"]),
        Route("/v1/rejected/{rejected_id}/replay", rejected.replay_batch, methods=["POST"]),
        Route("/v1/streams/{name:path}", streams.describe_stream, methods=["PATCH"]),
        Route("/livez", health.show_life, methods=["GET"]),
        Route("/healthz", health.show_life, methods=["GET"]),
        Route("/readyz", health.show_readiness, methods=["GET"]),
        Route("/metrics", health.show_metrics, methods=["GET"]),
    ]


async def _go_to_explorer(request: Request) -> RedirectResponse:
    return RedirectResponse("/graphql")

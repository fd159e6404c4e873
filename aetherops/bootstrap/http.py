"""The HTTP application over what an instance can do, and the server that it stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.api.application import ApiServices, create_application
from aetherops.api.metrics.connections import ConnectionCollector
from aetherops.runtime.http.server import HttpServer
from aetherops.services.readiness import ReadinessCheck

if TYPE_CHECKING:
    import socket

    from aetherops.api.metrics.registry import Metrics
    from aetherops.bootstrap.connections import Connections
    from aetherops.bootstrap.identity import Identity
    from aetherops.bootstrap.limits import Limits
    from aetherops.bootstrap.telemetry import Telemetry
    from aetherops.bootstrap.workflow import WorkflowCapability
    from aetherops.resilience import BreakerRegistry
    from aetherops.runtime.part import Part
    from aetherops.runtime.settings import Settings

__all__ = ["Capabilities", "http_parts", "url_of"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an instance can do, as far as the API offers it."""

    connections: Connections
    breakers: BreakerRegistry
    telemetry: Telemetry
    workflow: WorkflowCapability
    identity: Identity
    limits: Limits
    metrics: Metrics


def http_parts(
    capabilities: Capabilities, settings: Settings, bound: socket.socket
) -> dict[str, Part]:
    """The server that answers on the socket."""
    application = create_application(_services(capabilities, settings))
    server = HttpServer(application, bound, settings.drain_timeout_s, settings.http)
    capabilities.metrics.registry.register(ConnectionCollector(server.connections))
    return {"http": server}


def _services(capabilities: Capabilities, settings: Settings) -> ApiServices:
    return ApiServices(
        store=capabilities.telemetry.store,
        intake=capabilities.telemetry.intake,
        verifier=capabilities.identity.verifier,
        readiness=ReadinessCheck(
            capabilities.connections.probe,
            capabilities.breakers,
            capabilities.telemetry.room.require_to_accept,
            capabilities.telemetry.condition.degradations,
        ),
        settings=settings,
        admission=capabilities.limits.admission,
        breakers=capabilities.breakers,
        metrics=capabilities.metrics,
        condition=capabilities.telemetry.condition,
        rejected=capabilities.telemetry.rejected,
        workflows=capabilities.workflow.workflows,
    )


def url_of(bound: socket.socket) -> str:
    """Where this machine reaches the application."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

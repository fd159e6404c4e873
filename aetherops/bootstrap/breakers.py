"""The circuit breakers of an instance, and the part that tells what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.connections.nats import is_nats_away
from aetherops.connections.nats_events import NatsEventBus
from aetherops.connections.postgres import is_postgres_away
from aetherops.connections.redis import is_redis_away
from aetherops.parts.breaker_reports import BreakerReports
from aetherops.resilience import BreakerRegistry
from aetherops.runtime.clock import now_us

if TYPE_CHECKING:
    from aetherops.archive.intake import BatchQueue
    from aetherops.connections.nats import Nats
    from aetherops.runtime.part import Part
    from aetherops.runtime.settings import Settings

__all__ = ["breakers_of", "report_parts"]


def breakers_of(settings: Settings) -> BreakerRegistry:
    """A breaker for each server, with the rules that the settings state."""
    return BreakerRegistry(
        {
            "postgres": settings.postgres_breaker.policy(),
            "nats": settings.nats_breaker.policy(),
            "redis": settings.redis_breaker.policy(),
            "jwks": settings.jwks_breaker.policy(),
        },
        detectors={"postgres": is_postgres_away, "nats": is_nats_away, "redis": is_redis_away},
    )


def report_parts(breakers: BreakerRegistry, intake: BatchQueue, nats: Nats) -> dict[str, Part]:
    """The part that passes every transition on, as telemetry and as an event."""
    return {"breaker-reports": BreakerReports(breakers, intake, NatsEventBus(nats), now_us)}

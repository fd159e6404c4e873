"""What the HTTP application is given to work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aetherops.api.admission import Admission
from aetherops.api.metrics.registry import Metrics
from aetherops.resilience import BreakerRegistry
from aetherops.services.ingest_condition import IngestCondition
from aetherops.services.workflows import Workflows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aetherops.archive.intake import BatchQueue, RejectedBatches
    from aetherops.archive.store import TelemetryStore
    from aetherops.identity.tokens import TokenVerifier
    from aetherops.runtime.settings import Settings
    from aetherops.services.readiness import Readiness

__all__ = ["ApiServices"]


@dataclass(frozen=True, slots=True)
class ApiServices:
    """The parts behind the HTTP application.

    Parameters
    ----------
    store : answers queries.
    intake : takes accepted batches.
    verifier : knows whose a token is.
    readiness : says what this replica can do now.
    settings : limits of requests and answers.
    admission : the rate limits where requests come in.
    breakers : the circuit breakers of this instance, to look at and to hold.
    metrics : what ``/metrics`` shows.
    condition : how ingest fares, as the workers and the watch of this process say.
    rejected : batches that were set aside; None where there are none to look at.
    workflows : commands and questions of workflows; kept in memory where not given.
    """

    store: TelemetryStore
    intake: BatchQueue
    verifier: TokenVerifier
    readiness: Callable[[], Awaitable[Readiness]]
    settings: Settings
    admission: Admission = field(default_factory=Admission)
    breakers: BreakerRegistry = field(default_factory=BreakerRegistry)
    metrics: Metrics = field(default_factory=Metrics)
    condition: IngestCondition = field(default_factory=IngestCondition)
    rejected: RejectedBatches | None = None
    workflows: Workflows = field(default_factory=Workflows.in_memory)

"""What resolvers of one request share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aetherops.identity.operators import Operator
    from aetherops.services.breakers import BreakerControl
    from aetherops.services.metering import Meter
    from aetherops.services.telemetry import QueryBudget, TelemetryQueries
    from aetherops.services.workflows import Workflows

__all__ = ["QueryContext"]


@dataclass(frozen=True, slots=True)
class QueryContext:
    """Whom resolvers ask, for whom, and within which budget."""

    telemetry: TelemetryQueries
    breakers: BreakerControl
    workflows: Workflows
    operator: Operator
    budget: QueryBudget
    meter: Meter

"""A burn campaign: planned, uplinked after two other operators said yes, and checked on the orbit.

``AETHEROPS_WORKFLOW_REGISTRY=burn_campaign:registry aetherops up`` executes it, where this file can
be imported; what a handler does here by arithmetic is a call of your flight dynamics and ground
station there. Started as this program says, its input is the orbit before: semi-major axis and the
one wanted, in kilometres.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from aetherops.workflow.execution import (
    Approval,
    Delay,
    Registry,
    Retries,
    StepContext,
    Task,
    WorkflowDefinition,
)

__all__ = ["campaign", "registry"]

MU_KM3_S2 = 398_600.4418
#: Smaller burns than this are not worth the fuel of turning the spacecraft.
LEAST_M_S = 0.01

registry = Registry()


def is_worth_it(results: Mapping[str, Any]) -> bool:
    """Whether the plan asks for a burn at all."""
    return bool(results["plan"]["dv_m_s"] >= LEAST_M_S)


def campaign(settle_s: float = 600.0, approve_within_s: float = 7_200.0) -> WorkflowDefinition:
    """The campaign as it is registered.

    Parameters
    ----------
    settle_s : after the burn, before the orbit is looked at, seconds.
    approve_within_s : for both words, seconds.
    """
    return WorkflowDefinition(
        "burn-campaign",
        1,
        [
            Task(name="plan", handler="plan"),
            Approval(
                name="go",
                after=["plan"],
                role="flight-director",
                quorum=2,
                within_s=approve_within_s,
                when=is_worth_it,
            ),
            Task(
                name="uplink",
                after=["go"],
                handler="uplink",
                undo="clear queue",
                retries=Retries(attempts=5, first_s=2.0),
                timeout_s=60.0,
                when=is_worth_it,
            ),
            Delay(name="settle", after=["uplink"], wait_s=settle_s, when=is_worth_it),
            Task(name="verify", after=["settle"], handler="verify"),
        ],
    )


@registry.handler("plan")
def plan(context: StepContext) -> dict[str, float]:
    """Two equal burns of a transfer between nearly equal circles; their sum, metres a second."""
    orbit: Any = context.input
    before, wanted = orbit["semi_major_axis_km"], orbit["wanted_km"]
    dv_km_s = 0.5 * math.sqrt(MU_KM3_S2 / before) * abs(wanted - before) / before
    return {"dv_m_s": dv_km_s * 1_000, "target_km": wanted}


@registry.handler("uplink")
async def uplink(context: StepContext) -> str:
    """Queue the burn on board; asked again under the same key, the queue holds it once."""
    return f"queued as {context.idempotency_key}"


@registry.handler("clear queue")
async def clear_queue(context: StepContext) -> None:
    """Take the burn out of the queue again."""


@registry.handler("verify")
def verify(context: StepContext) -> dict[str, Any]:
    """Compare the orbit with the one wanted; what was seen stands in the event as its result."""
    orbit: Any = context.input
    seen = orbit.get("seen_km", orbit["wanted_km"])
    if abs(seen - orbit["wanted_km"]) > 0.1:
        raise ValueError(f"semi-major axis {seen} km, {orbit['wanted_km']} km was wanted")
    return {"seen_km": seen}


registry.add(campaign())

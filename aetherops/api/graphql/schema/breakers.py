"""GraphQL types of circuit breakers. The source of `CircuitBreaker` is a `BreakerSnapshot`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import graphene

from aetherops.api.graphql.schema.scalars import BigInt
from aetherops.resilience import Override, State

if TYPE_CHECKING:
    from aetherops.resilience import BreakerSnapshot, Totals

__all__ = ["CircuitBreaker", "CircuitBreakerOverride"]

_NS = 1_000_000_000


def _state_description(value: graphene.Enum | None) -> str:
    """What a state means."""
    return {
        None: "Whether calls to a dependency pass.",
        State.CLOSED: "Calls pass.",
        State.OPEN: "Calls are refused: the dependency failed lately.",
        State.HALF_OPEN: "A few probes pass; their outcome decides.",
    }[value and State(value.value)]


def _override_description(value: graphene.Enum | None) -> str:
    """What an override means."""
    return {
        None: "A hold that an operator put on a breaker.",
        Override.NONE: "No hold: the breaker moves by itself.",
        Override.FORCED_OPEN: "Nothing passes.",
        Override.FORCED_CLOSED: "Everything passes, and nothing counts.",
        Override.METRICS_ONLY: "Everything passes; outcomes are counted and change nothing.",
    }[value and Override(value.value)]


CircuitBreakerState = graphene.Enum(
    "CircuitBreakerState",
    [(state.name, state.value) for state in State],
    description=_state_description,
)
CircuitBreakerOverride = graphene.Enum(
    "CircuitBreakerOverride",
    [(override.name, override.value) for override in Override],
    description=_override_description,
)


class CallTotals(graphene.ObjectType):
    """Calls since the process began, by what became of them."""

    success = BigInt(required=True)
    failure = BigInt(required=True)
    neutral = BigInt(required=True, description="Cancelled: they say nothing.")
    late = BigInt(required=True, description="Began before the last transition; not counted.")
    refused = BigInt(required=True, description="Were not made.")


class CircuitBreaker(graphene.ObjectType):
    """What cuts off a dependency that fails, and tries it again."""

    name = graphene.String(required=True, description="The dependency.")
    state = graphene.NonNull(CircuitBreakerState)
    override = graphene.NonNull(CircuitBreakerOverride)
    consecutive_failures = graphene.Int(required=True)
    seconds_in_state = graphene.Float(required=True)
    seconds_to_probe = graphene.Float(
        description="Until it probes (open) or gives probing up (half-open)."
    )
    calls = graphene.NonNull(CallTotals)

    @staticmethod
    def resolve_name(now: BreakerSnapshot, info: object) -> str:
        """The breaker's name."""
        return now.breaker

    @staticmethod
    def resolve_state(now: BreakerSnapshot, info: object) -> str:
        """The state's value."""
        return now.state.value

    @staticmethod
    def resolve_override(now: BreakerSnapshot, info: object) -> str:
        """The override's value."""
        return now.override.value

    @staticmethod
    def resolve_consecutive_failures(now: BreakerSnapshot, info: object) -> int:
        """Failures in a row."""
        return now.counts.consecutive_failures

    @staticmethod
    def resolve_seconds_in_state(now: BreakerSnapshot, info: object) -> float:
        """Time since the last transition."""
        return now.age_ns / _NS

    @staticmethod
    def resolve_seconds_to_probe(now: BreakerSnapshot, info: object) -> float | None:
        """Time until it moves by itself; null where it will not."""
        return now.wait_ns / _NS if now.wait_ns and now.state is not State.CLOSED else None

    @staticmethod
    def resolve_calls(now: BreakerSnapshot, info: object) -> Totals:
        """Totals of calls."""
        return now.totals

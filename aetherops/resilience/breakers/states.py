"""The states of a circuit breaker, and what moves it from one to another.

:data:`TRANSITIONS` is the whole machine: the kernels are driven by it, and the diagram in the
documentation is drawn from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["TRANSITIONS", "Override", "State", "Trigger", "encode_transitions"]


class State(StrEnum):
    """Whether calls pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Trigger(StrEnum):
    """Why a breaker moves. The order of the members is part of the kernels' interface."""

    FAILURE_THRESHOLD = "failure-threshold"
    FAILURE_RATE = "failure-rate"
    SLOW_CALL_RATE = "slow-call-rate"
    RESET_TIMEOUT = "reset-timeout"
    PROBES_SUCCEEDED = "probes-succeeded"
    PROBES_FAILED = "probes-failed"
    PROBES_EXPIRED = "probes-expired"
    # From here on: fired from outside, by an operator or a caller.
    TRIPPED = "tripped"
    PROBED = "probed"
    RESET = "reset"
    FORCED_OPEN = "forced-open"
    FORCED_CLOSED = "forced-closed"
    METRICS_ONLY = "metrics-only"
    RELEASED = "released"

    @property
    def is_external(self) -> bool:
        """Whether it is fired from outside, and not by an outcome or the clock."""
        return _TRIGGERS.index(self) >= _TRIGGERS.index(Trigger.TRIPPED)


class Override(StrEnum):
    """A hold that an operator put on a breaker; it stays in its state until released or reset."""

    NONE = "none"
    FORCED_OPEN = "forced-open"  # nothing passes, no probe either
    FORCED_CLOSED = "forced-closed"  # everything passes, no outcome counts
    METRICS_ONLY = "metrics-only"  # everything passes, outcomes are counted and change nothing


_STATES = tuple(State)
_TRIGGERS = tuple(Trigger)
_ILLEGAL = 255

TRANSITIONS: Mapping[tuple[State, Trigger], State] = MappingProxyType(
    {
        (State.CLOSED, Trigger.FAILURE_THRESHOLD): State.OPEN,
        (State.CLOSED, Trigger.FAILURE_RATE): State.OPEN,
        (State.CLOSED, Trigger.SLOW_CALL_RATE): State.OPEN,
        (State.CLOSED, Trigger.TRIPPED): State.OPEN,
        (State.CLOSED, Trigger.RESET): State.CLOSED,
        (State.CLOSED, Trigger.FORCED_OPEN): State.OPEN,
        (State.CLOSED, Trigger.FORCED_CLOSED): State.CLOSED,
        (State.CLOSED, Trigger.METRICS_ONLY): State.CLOSED,
        (State.CLOSED, Trigger.RELEASED): State.CLOSED,
        (State.OPEN, Trigger.RESET_TIMEOUT): State.HALF_OPEN,
        (State.OPEN, Trigger.PROBED): State.HALF_OPEN,
        (State.OPEN, Trigger.RESET): State.CLOSED,
        (State.OPEN, Trigger.FORCED_OPEN): State.OPEN,
        (State.OPEN, Trigger.FORCED_CLOSED): State.CLOSED,
        (State.OPEN, Trigger.METRICS_ONLY): State.CLOSED,
        (State.OPEN, Trigger.RELEASED): State.OPEN,
        (State.HALF_OPEN, Trigger.PROBES_SUCCEEDED): State.CLOSED,
        (State.HALF_OPEN, Trigger.PROBES_FAILED): State.OPEN,
        (State.HALF_OPEN, Trigger.PROBES_EXPIRED): State.OPEN,
        (State.HALF_OPEN, Trigger.TRIPPED): State.OPEN,
        (State.HALF_OPEN, Trigger.RESET): State.CLOSED,
        (State.HALF_OPEN, Trigger.FORCED_OPEN): State.OPEN,
        (State.HALF_OPEN, Trigger.FORCED_CLOSED): State.CLOSED,
        (State.HALF_OPEN, Trigger.METRICS_ONLY): State.CLOSED,
    }
)


def encode_transitions() -> bytes:
    """The table as the kernels read it: a row a state, a byte a trigger, 255 where illegal."""
    moves = (TRANSITIONS.get((state, trigger)) for state in _STATES for trigger in _TRIGGERS)
    return bytes(_ILLEGAL if state is None else _STATES.index(state) for state in moves)

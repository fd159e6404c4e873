"""What breakers tell their listeners: transitions, and on request each call's outcome."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aetherops.events import Listeners
from aetherops.resilience.breakers.states import Override, State, Trigger

__all__ = ["CallEvent", "CallKind", "Counts", "Listeners", "TransitionEvent"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What a breaker has counted: failures in a row, and the calls of its window."""

    consecutive_failures: int
    calls: int
    failures: int
    slow: int


@dataclass(frozen=True, slots=True)
class TransitionEvent:
    """A breaker moved, or began anew in the same state.

    Parameters
    ----------
    breaker : its name.
    source, target : the states before and after.
    trigger : why.
    override : the hold that stands afterwards.
    generation : number of this transition of this breaker, without a gap.
    at_ns : when, on the breaker's monotonic clock.
    wait_ns : from then to the first probe (open) or to the end of probing (half-open); None where
        neither will come.
    counts : as they stood just before.
    """

    breaker: str
    source: State
    target: State
    trigger: Trigger
    override: Override
    generation: int
    at_ns: int
    wait_ns: int | None
    counts: Counts


class CallKind(StrEnum):
    """What became of a call."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"  # cancelled, or excluded by the detector
    LATE = "late"  # it began before the last transition and is not counted
    REFUSED = "refused"  # it was not made


@dataclass(frozen=True, slots=True)
class CallEvent:
    """A call ended, or was refused.

    Parameters
    ----------
    breaker : its name.
    kind : what became of it.
    duration_ns : how long it took, 0 where refused.
    at_ns : when it ended, on the breaker's monotonic clock.
    """

    breaker: str
    kind: CallKind
    duration_ns: int
    at_ns: int

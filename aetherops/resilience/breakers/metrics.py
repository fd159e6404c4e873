"""Breakers as figures for a metrics page; nothing here knows which system collects them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import NamedTuple

from aetherops.resilience.breakers.breaker import Breaker
from aetherops.resilience.breakers.states import Override, State

__all__ = ["METRICS", "Measurement", "measure"]

# Name → (kind, help).
METRICS = {
    "circuitbreaker_state": ("gauge", "1 for the state that the breaker is in, 0 for the others."),
    "circuitbreaker_override": ("gauge", "1 for the override that stands, 0 for the others."),
    "circuitbreaker_calls_total": ("counter", "Calls that ended, by what became of them."),
    "circuitbreaker_slow_calls_total": ("counter", "Counted calls that were slow."),
    "circuitbreaker_not_permitted_calls_total": ("counter", "Calls that were refused."),
    "circuitbreaker_failure_rate": ("gauge", "Share of failures among the calls of the window."),
    "circuitbreaker_slow_call_rate": ("gauge", "Share of slow calls among those of the window."),
    "circuitbreaker_transitions_total": ("counter", "Transitions, by the states they join."),
    "circuitbreaker_listener_errors_total": ("counter", "Errors that listeners raised."),
}


class Measurement(NamedTuple):
    """One figure: a metric's name, the values of its labels, and its value."""

    metric: str
    labels: dict[str, str]
    value: float


def measure(breakers: Iterable[Breaker]) -> Iterator[Measurement]:
    """The figures of these breakers, now."""
    for breaker in breakers:
        for metric, labels, value in _figures(breaker):
            name = f"circuitbreaker_{metric}"
            yield Measurement(name, {"name": breaker.name, **labels}, float(value))


def _figures(breaker: Breaker) -> Iterator[tuple[str, dict[str, str], float]]:
    now = breaker.snapshot()
    for state in State:
        yield "state", {"state": str(state)}, state is now.state
    for override in Override:
        yield "override", {"override": str(override)}, override is now.override
    totals = asdict(now.totals)
    yield "slow_calls_total", {}, totals.pop("slow")
    yield "not_permitted_calls_total", {}, totals.pop("refused")
    for kind, count in totals.items():
        yield "calls_total", {"kind": kind}, count
    if now.counts.calls:
        yield "failure_rate", {}, now.counts.failures / now.counts.calls
        yield "slow_call_rate", {}, now.counts.slow / now.counts.calls
    for (source, target), count in breaker.machine.transitions.copy().items():
        yield "transitions_total", {"from": str(source), "to": str(target)}, count
    yield "listener_errors_total", {}, breaker.listener_errors

"""Breakers by name, and their figures."""

from __future__ import annotations

import pytest

from aetherops.errors import NotFoundError
from aetherops.resilience import (
    BreakerPolicy,
    BreakerRegistry,
    Override,
    State,
    TransitionEvent,
    Verdict,
    exceptions,
    measure,
)
from aetherops.resilience.breakers.metrics import METRICS

from .conftest import ManualClock

pytestmark = pytest.mark.usefixtures("twin")

STRICT = BreakerPolicy(failure_threshold=1, failure_rate=0.1, minimum_calls=10)


@pytest.fixture
def registry(clock: ManualClock) -> BreakerRegistry:
    detectors = {"nats": exceptions(ConnectionError, exclude=[ValueError])}
    return BreakerRegistry({"postgres": STRICT, "nats": STRICT}, detectors=detectors, clock=clock)


def test_a_name_has_one_breaker_with_its_policy(registry: BreakerRegistry) -> None:
    postgres = registry.get("postgres")
    assert registry.get("postgres") is postgres
    assert (postgres.name, postgres.policy) == ("postgres", STRICT)
    assert [breaker.name for breaker in registry] == ["postgres"]
    registry.get("nats")
    assert [breaker.name for breaker in registry] == ["nats", "postgres"]


def test_an_unknown_name_needs_a_default(registry: BreakerRegistry) -> None:
    with pytest.raises(NotFoundError, match="circuit breaker"):
        registry.get("redis")
    assert BreakerRegistry(default=STRICT).get("redis").policy is STRICT


def test_a_name_may_have_a_detector_of_its_own(registry: BreakerRegistry) -> None:
    for name, state in (("nats", State.CLOSED), ("postgres", State.OPEN)):
        with pytest.raises(ValueError):
            registry.get(name).call(int, "x")
        assert registry.get(name).state is state


def test_a_listener_hears_breakers_made_before_and_after_it(registry: BreakerRegistry) -> None:
    heard: list[TransitionEvent] = []
    registry.get("postgres")
    registry.subscribe(heard.append)
    registry.get("nats").trip()
    registry.get("postgres").trip()
    assert [event.breaker for event in heard] == ["nats", "postgres"]


def test_every_breaker_is_measured(registry: BreakerRegistry) -> None:
    breaker = registry.get("postgres")
    breaker.call(int, "1")
    breaker.force(Override.FORCED_OPEN)
    figures = {
        (figure.metric, *figure.labels.values()): figure.value for figure in measure(registry)
    }
    assert figures["circuitbreaker_state", "postgres", "open"] == 1
    assert figures["circuitbreaker_state", "postgres", "closed"] == 0
    assert figures["circuitbreaker_override", "postgres", "forced-open"] == 1
    assert figures["circuitbreaker_calls_total", "postgres", "success"] == 1
    assert figures["circuitbreaker_calls_total", "postgres", "late"] == 0
    assert figures["circuitbreaker_transitions_total", "postgres", "closed", "open"] == 1
    assert figures["circuitbreaker_failure_rate", "postgres"] == 0
    assert {metric for metric, *_ in figures} == set(METRICS)


def test_rates_are_shares_of_the_window(registry: BreakerRegistry) -> None:
    policy = BreakerPolicy(failure_rate=0.9, slow_call_rate=0.9, slow_call_s=1)
    breaker = BreakerRegistry(default=policy).get("nats")
    assert "circuitbreaker_failure_rate" not in {figure.metric for figure in measure([breaker])}
    for verdict, took_ns in ((Verdict.FAILURE, 0), (Verdict.SUCCESS, 2 * 10**9)) * 2:
        breaker.machine.record(0, 0, verdict, took_ns)
    figures = {figure.metric: figure.value for figure in measure([breaker])}
    assert figures["circuitbreaker_failure_rate"] == 0.5
    assert figures["circuitbreaker_slow_call_rate"] == 0.5
    assert figures["circuitbreaker_slow_calls_total"] == 2

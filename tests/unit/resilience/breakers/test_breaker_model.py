"""The machine does what the model does, through every transition and edge."""

from __future__ import annotations

import importlib.util
import unittest

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from aetherops.resilience import (
    BreakerOpenError,
    BreakerPolicy,
    CallKind,
    CircuitBreakerStateMachine,
    CountWindow,
    IllegalTransitionError,
    Override,
    State,
    TimeWindow,
    TransitionEvent,
    Trigger,
    Verdict,
)

from .breaker_model import Model
from .conftest import NAMES, SECOND

EXTERNAL = [trigger for trigger in Trigger if trigger.is_external]


@st.composite
def policies(draw: st.DrawFn) -> BreakerPolicy:
    """Small limits, so that a short history reaches all of them."""
    slow = draw(st.booleans())
    successes = draw(st.integers(1, 3))
    shares = st.sampled_from([0.1, 0.3, 0.5, 1.0])
    window = draw(st.sampled_from([CountWindow(1), CountWindow(5), TimeWindow(10, 5)]))
    return BreakerPolicy(
        failure_threshold=draw(st.none() | st.integers(1, 4)),
        failure_rate=draw(st.none() | shares),
        slow_call_rate=draw(shares) if slow else None,
        slow_call_s=1.0 if slow else None,
        window=window,
        minimum_calls=1 if window == CountWindow(1) else draw(st.integers(1, 5)),
        reset_timeout_s=10,
        backoff_factor=draw(st.sampled_from([1, 2])),
        max_reset_timeout_s=30,
        success_threshold=successes,
        probe_count=successes + draw(st.integers(0, 2)),
        max_half_open_s=20,
    )


class BreakerHistory(RuleBasedStateMachine):
    """Calls, clocks and operators in any order, on the machine and the model alike."""

    implementation = "pure"
    permits = Bundle("permits")

    @initialize(policy=policies())
    def begin(self, policy: BreakerPolicy) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for module, names in NAMES.items():
                for name, source in names.items():
                    path = f"aetherops.core._{self.implementation}.resilience.{source}"
                    patch.setattr(module, name, getattr(importlib.import_module(path), name))
            self.machine = CircuitBreakerStateMachine(policy)
        self.model = Model(policy)
        self.now_ns = 10**16
        self.events: list[TransitionEvent] = []
        self.machine.listeners.add(self.events.append)

    @rule(passed_ns=st.sampled_from([1, SECOND // 2, SECOND, 2 * SECOND, 3 * SECOND, 10**15]))
    def time_passes(self, passed_ns: int) -> None:
        self.now_ns += passed_ns

    @rule(short_ns=st.sampled_from([-1, 0, 1]))
    def time_passes_to_the_edge(self, short_ns: int) -> None:
        if self.model.due_ns:
            self.now_ns = max(self.now_ns, self.model.due_ns + short_ns)

    @rule(target=permits, stale_ns=st.sampled_from([0, 0, 0, 1, SECOND, 10**15]))
    def call_begins(self, stale_ns: int) -> tuple[int, int] | None:
        now_ns = self.now_ns - stale_ns
        try:
            permit = self.machine.acquire(now_ns)
        except BreakerOpenError:
            assert self.model.acquire(now_ns) is None
            return None
        assert self.model.acquire(now_ns) == permit.generation
        return permit.generation, now_ns

    @rule(
        permit=permits,
        verdict=st.sampled_from(Verdict),
        took_ns=st.sampled_from([0, SECOND, SECOND + 1]),
        stale_ns=st.sampled_from([0, 0, 0, 1, SECOND]),
    )
    def call_ends(
        self, permit: tuple[int, int] | None, verdict: Verdict, took_ns: int, stale_ns: int
    ) -> None:
        if permit is None:
            return
        generation, start_ns = permit
        self.now_ns = max(self.now_ns, start_ns + took_ns)
        now_ns = self.now_ns - stale_ns
        counted = self.model.settle(generation, start_ns, verdict, now_ns)
        kind = self.machine.record(generation, start_ns, verdict, now_ns)
        assert kind == (CallKind(verdict.name.lower()) if counted else CallKind.LATE)

    @rule(trigger=st.sampled_from(EXTERNAL))
    def operator_acts(self, trigger: Trigger) -> None:
        moved = self.model.fire(trigger, self.now_ns)
        try:
            self.machine.fire(trigger, self.now_ns)
        except IllegalTransitionError:
            assert not moved
        else:
            assert moved

    @invariant()
    def both_stand_alike(self) -> None:
        model, seen = self.model, self.machine.snapshot(self.model.now_ns)
        assert (seen.state, seen.override, seen.generation) == (
            model.state,
            model.override,
            model.generation,
        )
        assert seen.counts.consecutive_failures == model.in_a_row
        counts = (seen.counts.calls, seen.counts.failures, seen.counts.slow)
        assert counts == model.window(model.now_ns)
        if model.state is State.OPEN and model.override is Override.NONE:
            assert model.due_ns is not None
            assert seen.wait_ns == max(model.due_ns - model.now_ns, 0)

    @invariant()
    def both_told_the_same_transitions(self) -> None:
        told = [(event.trigger, event.source, event.target, event.at_ns) for event in self.events]
        assert told == self.model.told


class PureHistory(BreakerHistory):
    """On the pure twin."""


class NativeHistory(BreakerHistory):
    """On the compiled kernel."""

    implementation = "native"


LIMITS = settings(
    max_examples=150,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


class TestPureKernel(PureHistory.TestCase):  # type: ignore[misc, name-defined]
    """Histories of the pure twin."""

    settings = LIMITS


@unittest.skipUnless(
    importlib.util.find_spec("aetherops.core._native.resilience.breaker"),
    "the compiled core is not built",
)
class TestNativeKernel(NativeHistory.TestCase):  # type: ignore[misc, name-defined]
    """Histories of the compiled kernel."""

    settings = LIMITS

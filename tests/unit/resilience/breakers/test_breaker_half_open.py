"""Probing: permits are reserved, lost ones expire, and late outcomes change nothing."""

from __future__ import annotations

import itertools

import pytest

from aetherops.resilience import (
    BreakerOpenError,
    BreakerPolicy,
    CallKind,
    CircuitBreakerStateMachine,
    Permit,
    State,
    TransitionEvent,
    Trigger,
    Verdict,
)

pytestmark = pytest.mark.usefixtures("twin")

SECOND = 1_000_000_000
SUCCESS, FAILURE, NEUTRAL = Verdict


def half_open(**rules: object) -> CircuitBreakerStateMachine:
    machine = CircuitBreakerStateMachine(BreakerPolicy(**rules))  # type: ignore[arg-type]
    machine.fire(Trigger.TRIPPED, 0)
    machine.fire(Trigger.PROBED, 0)
    return machine


def permits(machine: CircuitBreakerStateMachine, asked: int, now_ns: int = 0) -> list[Permit]:
    given = []
    for _ in range(asked):
        try:
            given.append(machine.acquire(now_ns))
        except BreakerOpenError:
            continue
    return given


@pytest.mark.parametrize("probe_count", [1, 3, 7])
def test_exactly_as_many_callers_pass_as_there_are_probes(probe_count: int) -> None:
    machine = half_open(probe_count=probe_count)
    assert len(permits(machine, 500)) == probe_count


def test_a_refusal_while_probes_run_says_to_come_back_soon() -> None:
    machine = half_open(max_half_open_s=60)
    permits(machine, 1)
    with pytest.raises(BreakerOpenError) as refused:
        machine.acquire(0)
    assert (refused.value.state, refused.value.retry_after_s) == (State.HALF_OPEN, 1.0)
    with pytest.raises(BreakerOpenError) as refused:
        machine.acquire(60 * SECOND - SECOND // 2)
    assert refused.value.retry_after_s == 0.5


@pytest.mark.parametrize("outcomes", list(itertools.product([SUCCESS, FAILURE], repeat=4)))
def test_probes_in_every_order_decide_as_soon_as_they_can(outcomes: tuple[Verdict, ...]) -> None:
    machine = half_open(probe_count=4, success_threshold=3)
    for count, (permit, verdict) in enumerate(zip(permits(machine, 4), outcomes, strict=True), 1):
        machine.settle(permit, verdict, 1)
        seen = outcomes[:count]
        if seen.count(SUCCESS) >= 3:
            assert machine.state is State.CLOSED
        elif seen.count(FAILURE) >= 2:
            assert machine.state is State.OPEN
        else:
            assert machine.state is State.HALF_OPEN


def test_a_slow_probe_counts_as_failed_where_slow_calls_are_judged() -> None:
    machine = half_open(slow_call_s=1.0, slow_call_rate=0.5)
    machine.settle(machine.acquire(0), SUCCESS, 2 * SECOND)
    assert machine.state is State.OPEN


def test_a_neutral_probe_gives_its_permit_back() -> None:
    machine = half_open()
    for _ in range(10):
        (permit,) = permits(machine, 2)
        assert machine.settle(permit, NEUTRAL, 0) is CallKind.NEUTRAL
    assert machine.state is State.HALF_OPEN


def test_lost_probes_do_not_leave_it_half_open_for_ever() -> None:
    machine = half_open(probe_count=2, max_half_open_s=60, reset_timeout_s=30)
    events: list[TransitionEvent] = []
    machine.listeners.add(events.append)
    assert len(permits(machine, 3)) == 2
    assert permits(machine, 3, now_ns=60 * SECOND - 1) == []
    assert permits(machine, 3, now_ns=60 * SECOND) == [], "it has opened again"
    assert (events[-1].trigger, events[-1].target) == (Trigger.PROBES_EXPIRED, State.OPEN)
    assert len(permits(machine, 3, now_ns=90 * SECOND)) == 2


def test_the_wait_after_lost_probes_began_when_they_expired() -> None:
    machine = half_open(max_half_open_s=60, reset_timeout_s=30)
    permits(machine, 1)
    assert len(permits(machine, 1, now_ns=10_000 * SECOND)) == 1, "nobody asked in between"
    assert machine.snapshot(10_000 * SECOND).reopenings == 2


def test_the_outcome_of_an_expired_probe_is_late() -> None:
    machine = half_open(max_half_open_s=60)
    (permit,) = permits(machine, 1)
    assert machine.settle(permit, SUCCESS, 60 * SECOND) is CallKind.LATE
    assert machine.state is State.OPEN


def test_a_late_success_from_closed_does_not_close_an_open_breaker() -> None:
    machine = CircuitBreakerStateMachine(BreakerPolicy(failure_threshold=1))
    early, failing = machine.acquire(0), machine.acquire(0)
    machine.settle(failing, FAILURE, 1)
    assert machine.settle(early, SUCCESS, 2) is CallKind.LATE
    assert machine.state is State.OPEN
    assert machine.snapshot(2).totals.late == 1


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_late_outcome_decides_nothing_in_half_open(verdict: Verdict) -> None:
    machine = CircuitBreakerStateMachine(BreakerPolicy(failure_threshold=1))
    early = machine.acquire(0)
    machine.fire(Trigger.TRIPPED, 1)
    machine.fire(Trigger.PROBED, 2)
    machine.settle(early, verdict, 3)
    assert machine.state is State.HALF_OPEN
    assert len(permits(machine, 5, now_ns=4)) == 1


def test_a_probe_of_an_earlier_episode_is_late_in_the_next() -> None:
    machine = half_open(probe_count=2, success_threshold=1, reset_timeout_s=30)
    first, second = permits(machine, 2)
    machine.settle(first, SUCCESS, 1)
    assert machine.state is State.CLOSED
    machine.fire(Trigger.TRIPPED, 2)
    machine.acquire(40 * SECOND)
    assert machine.settle(second, FAILURE, 41 * SECOND) is CallKind.LATE
    assert machine.state is State.HALF_OPEN


def test_a_failure_that_began_before_a_reset_is_not_counted_after_it() -> None:
    machine = CircuitBreakerStateMachine(BreakerPolicy(failure_threshold=1))
    permit = machine.acquire(0)
    machine.fire(Trigger.RESET, 1)
    assert machine.settle(permit, FAILURE, 2) is CallKind.LATE
    assert machine.state is State.CLOSED


def test_closing_forgets_the_outcomes_that_opened_it() -> None:
    machine = CircuitBreakerStateMachine(
        BreakerPolicy(failure_threshold=None, failure_rate=0.5, minimum_calls=2)
    )
    for _ in range(2):
        machine.settle(machine.acquire(0), FAILURE, 0)
    machine.settle(machine.acquire(30 * SECOND), SUCCESS, 30 * SECOND)
    assert machine.state is State.CLOSED
    machine.settle(machine.acquire(30 * SECOND), FAILURE, 30 * SECOND)
    assert machine.state is State.CLOSED

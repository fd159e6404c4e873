"""Snapshots: to look at, to keep as plain data, and to go on from on another clock."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.resilience import (
    Breaker,
    BreakerOpenError,
    BreakerPolicy,
    BreakerSnapshot,
    CircuitBreakerStateMachine,
    CountWindow,
    Override,
    State,
    TimeWindow,
    Trigger,
    Verdict,
)

from .conftest import ManualClock

pytestmark = pytest.mark.usefixtures("twin")

SECOND = 1_000_000_000
START = 5_000 * SECOND
ELSEWHERE = 77 * SECOND
SUCCESS, FAILURE, NEUTRAL = Verdict
COUNTED = BreakerPolicy(failure_threshold=None, failure_rate=0.5, window=CountWindow(20))
TIMED = BreakerPolicy(failure_threshold=None, failure_rate=0.5, window=TimeWindow(10.0, 10))


def saved(machine: CircuitBreakerStateMachine, now_ns: int = START) -> BreakerSnapshot:
    """The snapshot, by way of JSON."""
    text = json.dumps(machine.snapshot(now_ns).to_dict())
    return BreakerSnapshot.from_dict(json.loads(text))


def restored(
    machine: CircuitBreakerStateMachine, now_ns: int = START, away_s: float = 0.0
) -> CircuitBreakerStateMachine:
    other = CircuitBreakerStateMachine(machine.policy)
    other.restore(saved(machine, now_ns), ELSEWHERE, away_s)
    return other


def test_a_new_breaker_shows_nothing() -> None:
    shown = CircuitBreakerStateMachine(name="new").snapshot(START)
    assert (shown.breaker, shown.state, shown.age_ns, shown.wait_ns) == ("new", "closed", 0, 0)
    assert (shown.window, shown.rows) == ("", ())


def test_it_shows_how_long_an_open_breaker_has_been_and_will_be_open() -> None:
    machine = CircuitBreakerStateMachine()
    machine.fire(Trigger.TRIPPED, START)
    shown = machine.snapshot(START + 10 * SECOND)
    assert (shown.age_ns, shown.wait_ns) == (10 * SECOND, 20 * SECOND)
    assert machine.snapshot(START + 40 * SECOND).wait_ns == 0


def test_an_open_breaker_goes_on_waiting_on_another_clock() -> None:
    machine = CircuitBreakerStateMachine()
    machine.fire(Trigger.TRIPPED, START)
    other = restored(machine, START + 10 * SECOND, away_s=5)
    with pytest.raises(BreakerOpenError) as refused:
        other.acquire(ELSEWHERE)
    assert refused.value.retry_after_s == 15.0
    assert other.snapshot(ELSEWHERE).age_ns == 15 * SECOND


def test_time_away_is_no_longer_than_the_wait_and_never_negative() -> None:
    machine = CircuitBreakerStateMachine()
    machine.fire(Trigger.TRIPPED, START)
    assert restored(machine, away_s=1e6).snapshot(ELSEWHERE).wait_ns == 0
    assert restored(machine, away_s=-1e6).snapshot(ELSEWHERE).wait_ns == 30 * SECOND


def test_a_half_open_breaker_comes_back_open_and_probes_at_once() -> None:
    machine = CircuitBreakerStateMachine()
    machine.fire(Trigger.TRIPPED, START)
    machine.fire(Trigger.PROBED, START)
    machine.acquire(START)
    other = restored(machine)
    assert other.state is State.OPEN
    other.acquire(ELSEWHERE)
    assert other.state is State.HALF_OPEN


@pytest.mark.parametrize(
    "trigger", [Trigger.FORCED_OPEN, Trigger.FORCED_CLOSED, Trigger.METRICS_ONLY]
)
def test_a_hold_stays(trigger: Trigger) -> None:
    machine = CircuitBreakerStateMachine()
    machine.fire(trigger, START)
    other = restored(machine, away_s=1e6)
    assert (other.state, other.override) == (machine.state, machine.override)
    assert other.override is Override(trigger)


def test_a_breaker_goes_on_from_the_snapshot_of_another(clock: ManualClock) -> None:
    before, after = Breaker("link", clock=clock), Breaker("link", clock=clock)
    before.trip()
    after.restore(before.snapshot(), away_s=30)
    assert after.call(int, "1") == 1
    assert after.state is State.CLOSED


def test_backoff_goes_on_where_it_was() -> None:
    policy = BreakerPolicy(reset_timeout_s=10, backoff_factor=2)
    machine = CircuitBreakerStateMachine(policy)
    machine.fire(Trigger.TRIPPED, START)
    other = restored(machine, START + 10 * SECOND)
    other.settle(other.acquire(ELSEWHERE), FAILURE, ELSEWHERE)
    assert other.snapshot(ELSEWHERE).wait_ns == 20 * SECOND


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
@pytest.mark.parametrize("policy", [COUNTED, TIMED])
def test_outcomes_are_kept_and_judged_alike_from_there_on(
    policy: BreakerPolicy, data: st.DataObject
) -> None:
    verdicts = st.lists(st.tuples(st.sampled_from(Verdict), st.integers(0, 3 * SECOND)))
    machine = CircuitBreakerStateMachine(policy)
    now_ns = START
    for verdict, passed_ns in data.draw(verdicts):
        machine.record(machine.generation, now_ns, verdict, now_ns)
        now_ns += passed_ns
    other = CircuitBreakerStateMachine(policy)
    # On a clock that is whole windows apart, so that buckets begin at the same instants.
    shift_ns = 100 * SECOND
    other.restore(saved(machine, now_ns), now_ns + shift_ns)
    for verdict, passed_ns in data.draw(verdicts):
        now_ns += passed_ns
        for one, at_ns in ((machine, now_ns), (other, now_ns + shift_ns)):
            one.record(one.generation, at_ns, verdict, at_ns)
        seen, mirrored = machine.snapshot(now_ns), other.snapshot(now_ns + shift_ns)
        assert (seen.state, seen.counts, seen.rows) == (
            mirrored.state,
            mirrored.counts,
            mirrored.rows,
        )


def test_old_buckets_are_forgotten_while_away() -> None:
    machine = CircuitBreakerStateMachine(TIMED)
    for age_s in (9, 5, 0):
        machine.record(0, START, FAILURE, START - age_s * SECOND)
    assert restored(machine).snapshot(ELSEWHERE).counts.calls == 3
    assert restored(machine, away_s=3).snapshot(ELSEWHERE).counts.calls == 2
    assert restored(machine, away_s=1e9).snapshot(ELSEWHERE).counts.calls == 0


def test_outcomes_of_a_window_of_another_shape_are_left_behind() -> None:
    machine = CircuitBreakerStateMachine(COUNTED)
    machine.record(0, START, FAILURE, START)
    other = CircuitBreakerStateMachine(TIMED)
    other.restore(saved(machine), ELSEWHERE)
    assert other.snapshot(ELSEWHERE).counts.calls == 0


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"state": "ajar"},
        {"generation": -1},
        {"generation": "1"},
        {"age_ns": 2**61},
        {"wait_ns": None},
        {"override": "forced-open"},
        {"state": "open", "override": "forced-closed"},
        {"rows": [[1, 2, 0]]},
        {"rows": [[1, 0]]},
        {"counts": {}},
        {"totals": {"success": 1, "more": 2}},
    ],
)
def test_data_without_meaning_is_refused(change: dict[str, Any]) -> None:
    data = CircuitBreakerStateMachine(COUNTED).snapshot(START).to_dict()
    with pytest.raises(InvalidInputError):
        BreakerSnapshot.from_dict({**data, **change})
    with pytest.raises(InvalidInputError):
        BreakerSnapshot.from_dict({"version": 1})

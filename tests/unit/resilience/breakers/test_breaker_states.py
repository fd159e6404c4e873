"""The state machine: what opens it, what closes it, and which moves are illegal."""

from __future__ import annotations

import itertools

import pytest

from aetherops.errors import InvalidInputError, RefusedError, UnavailableError
from aetherops.resilience import (
    TRANSITIONS,
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
from aetherops.resilience.breakers.states import encode_transitions

pytestmark = pytest.mark.usefixtures("twin")

SECOND = 1_000_000_000
SUCCESS, FAILURE, NEUTRAL = Verdict
# Triggers that set or lift a hold, or fire on their own account under conditions of their own.
EXTERNAL = [trigger for trigger in Trigger if trigger.is_external]


def call(
    machine: CircuitBreakerStateMachine, verdict: Verdict, at_s: float = 0.0, took_s: float = 0.0
) -> State:
    start_ns = round(at_s * SECOND)
    permit = machine.acquire(start_ns)
    machine.settle(permit, verdict, start_ns + round(took_s * SECOND))
    return machine.state


def opened(**rules: object) -> CircuitBreakerStateMachine:
    machine = CircuitBreakerStateMachine(BreakerPolicy(**rules))  # type: ignore[arg-type]
    machine.fire(Trigger.TRIPPED, 0)
    return machine


def test_the_states_equal_their_strings() -> None:
    assert [State.CLOSED, State.OPEN, State.HALF_OPEN] == ["closed", "open", "half-open"]


def test_the_kernels_table_says_what_the_table_says() -> None:
    encoded = encode_transitions()
    for code, (state, trigger) in enumerate(itertools.product(State, Trigger)):
        target = TRANSITIONS.get((state, trigger))
        assert encoded[code] == (255 if target is None else list(State).index(target))


@pytest.mark.parametrize("threshold", [1, 2, 5])
def test_it_opens_exactly_at_the_threshold(threshold: int) -> None:
    machine = CircuitBreakerStateMachine(BreakerPolicy(failure_threshold=threshold))
    states = [call(machine, FAILURE) for _ in range(threshold)]
    assert states == [State.CLOSED] * (threshold - 1) + [State.OPEN]


def test_a_success_between_failures_starts_the_count_again() -> None:
    machine = CircuitBreakerStateMachine(BreakerPolicy(failure_threshold=2))
    states = [call(machine, verdict) for verdict in (FAILURE, SUCCESS, FAILURE, NEUTRAL, FAILURE)]
    assert states == [State.CLOSED] * 4 + [State.OPEN]


def test_without_a_threshold_failures_alone_never_open() -> None:
    machine = CircuitBreakerStateMachine(BreakerPolicy(failure_threshold=None))
    assert {call(machine, FAILURE) for _ in range(100)} == {State.CLOSED}


def test_a_failure_rate_opens_once_there_are_enough_calls() -> None:
    policy = BreakerPolicy(
        failure_threshold=None, failure_rate=0.5, minimum_calls=4, window=CountWindow(10)
    )
    machine = CircuitBreakerStateMachine(policy)
    states = [call(machine, verdict) for verdict in (FAILURE, FAILURE, SUCCESS, SUCCESS)]
    assert states == [State.CLOSED] * 3 + [State.OPEN]


def test_a_rate_equal_to_its_literal_opens() -> None:
    policy = BreakerPolicy(
        failure_threshold=None, failure_rate=0.3, minimum_calls=10, window=CountWindow(10)
    )
    machine = CircuitBreakerStateMachine(policy)
    verdicts = [FAILURE] * 3 + [SUCCESS] * 7
    assert [call(machine, verdict) for verdict in verdicts][-1] is State.OPEN


def test_the_count_window_forgets_the_oldest_call() -> None:
    policy = BreakerPolicy(
        failure_threshold=None, failure_rate=1.0, minimum_calls=3, window=CountWindow(3)
    )
    machine = CircuitBreakerStateMachine(policy)
    verdicts = (SUCCESS, SUCCESS, SUCCESS, FAILURE, FAILURE, FAILURE)
    states = [call(machine, verdict) for verdict in verdicts]
    assert states == [State.CLOSED] * 5 + [State.OPEN]


def test_the_time_window_forgets_what_is_older() -> None:
    policy = BreakerPolicy(
        failure_threshold=None, failure_rate=0.5, minimum_calls=2, window=TimeWindow(10.0, 10)
    )
    machine = CircuitBreakerStateMachine(policy)
    assert call(machine, FAILURE, at_s=0.5) is State.CLOSED
    assert call(machine, SUCCESS, at_s=10.5) is State.CLOSED, "the failure is forgotten"
    assert call(machine, FAILURE, at_s=12.0) is State.OPEN


def test_a_call_and_its_outcome_are_counted_in_the_same_bucket() -> None:
    policy = BreakerPolicy(failure_rate=1.0, window=TimeWindow(10.0, 10))
    machine = CircuitBreakerStateMachine(policy)
    call(machine, FAILURE, at_s=0.5, took_s=3.0)
    rows = machine.snapshot(4 * SECOND).rows
    assert rows == ((0, 0, 0), (1, 1, 0), *[(0, 0, 0)] * 8), "newest first, when the call ended"


def test_slow_calls_open_by_their_rate_and_only_when_slower_than_the_limit() -> None:
    policy = BreakerPolicy(slow_call_s=1.0, slow_call_rate=0.5, minimum_calls=2)
    machine = CircuitBreakerStateMachine(policy)
    assert call(machine, SUCCESS, took_s=1.0) is State.CLOSED
    assert call(machine, SUCCESS, took_s=1.000000001) is State.OPEN


def test_an_open_breaker_refuses_until_its_time_has_come() -> None:
    machine = opened(reset_timeout_s=30)
    with pytest.raises(BreakerOpenError) as refused:
        machine.acquire(10 * SECOND)
    assert refused.value.retry_after_s == 20.0
    assert isinstance(refused.value, UnavailableError)
    with pytest.raises(BreakerOpenError):
        machine.acquire(30 * SECOND - 1)
    assert machine.state is State.OPEN
    machine.acquire(30 * SECOND)
    assert machine.state is State.HALF_OPEN


def test_the_error_names_the_breaker_its_state_and_the_wait() -> None:
    machine = opened()
    with pytest.raises(BreakerOpenError) as refused:
        machine.acquire(0)
    error = refused.value
    assert (error.dependency, error.state, error.retry_after_s) == ("breaker", State.OPEN, 30.0)
    assert str(error) == "breaker: the circuit breaker is open, try again in 30 s"


def test_each_reopening_waits_longer_and_closing_ends_the_backoff() -> None:
    machine = opened(reset_timeout_s=10, backoff_factor=2)
    events: list[TransitionEvent] = []
    machine.listeners.add(events.append)
    now_s = 10
    for wait_s in (20, 40):
        assert call(machine, FAILURE, at_s=now_s) is State.OPEN
        assert events[-1].wait_ns == wait_s * SECOND
        now_s += wait_s
    assert call(machine, SUCCESS, at_s=now_s) is State.CLOSED
    machine.fire(Trigger.TRIPPED, now_s * SECOND)
    assert events[-1].wait_ns == 10 * SECOND


def test_jitter_draws_every_wait_from_the_given_source() -> None:
    draws = iter([0.0, 0.75])
    policy = BreakerPolicy(reset_timeout_s=10, jitter=0.2)
    machine = CircuitBreakerStateMachine(policy, random=lambda: next(draws))
    events: list[TransitionEvent] = []
    machine.listeners.add(events.append)
    machine.fire(Trigger.TRIPPED, 0)
    assert events[0].wait_ns == 8 * SECOND


@pytest.mark.parametrize("trigger", EXTERNAL)
@pytest.mark.parametrize("state", list(State))
def test_a_trigger_from_outside_obeys_the_table(state: State, trigger: Trigger) -> None:
    machine = CircuitBreakerStateMachine()
    if state is not State.CLOSED:
        machine.fire(Trigger.TRIPPED, 0)
    if state is State.HALF_OPEN:
        machine.fire(Trigger.PROBED, 0)
    target = TRANSITIONS.get((state, trigger))
    if target is None or trigger is Trigger.RELEASED:  # nothing stands that could be released
        with pytest.raises(IllegalTransitionError) as refused:
            machine.fire(trigger, 0)
        assert refused.value.state is machine.state is state
        assert isinstance(refused.value, RefusedError)
        assert str(refused.value).startswith(f"breaker: '{trigger}' does not move")
    else:
        machine.fire(trigger, 0)
        assert machine.state is target


@pytest.mark.parametrize("trigger", [trigger for trigger in Trigger if not trigger.is_external])
def test_what_fires_by_itself_cannot_be_fired_from_outside(trigger: Trigger) -> None:
    with pytest.raises(InvalidInputError):
        CircuitBreakerStateMachine().fire(trigger, 0)


def test_a_permit_is_settled_once() -> None:
    machine = CircuitBreakerStateMachine(BreakerPolicy(failure_threshold=2))
    permit = machine.acquire(0)
    assert machine.settle(permit, FAILURE, 1) is CallKind.FAILURE
    assert machine.settle(permit, FAILURE, 2) is None
    assert machine.state is State.CLOSED


@pytest.mark.parametrize("stale_ns", [0, 29 * SECOND, -(10**17)])
def test_a_clock_that_goes_back_neither_reopens_nor_prolongs(stale_ns: int) -> None:
    machine = opened(reset_timeout_s=30)
    with pytest.raises(BreakerOpenError):
        machine.acquire(29 * SECOND)
    with pytest.raises(BreakerOpenError) as refused:
        machine.acquire(stale_ns)
    assert refused.value.retry_after_s == 1.0, "time inside stands still, and never goes back"
    machine.acquire(30 * SECOND)
    assert machine.state is State.HALF_OPEN


def test_a_clock_that_jumps_ahead_empties_the_window_and_no_more() -> None:
    policy = BreakerPolicy(
        failure_threshold=None, failure_rate=0.5, minimum_calls=2, window=TimeWindow(10.0)
    )
    machine = CircuitBreakerStateMachine(policy)
    call(machine, FAILURE)
    assert call(machine, SUCCESS, at_s=1e6) is State.CLOSED
    assert machine.snapshot(round(1e6 * SECOND)).counts.calls == 1


class TestOverrides:
    """Holds that an operator puts on a breaker."""

    def test_forced_open_refuses_for_ever(self) -> None:
        machine = CircuitBreakerStateMachine()
        machine.fire(Trigger.FORCED_OPEN, 0)
        with pytest.raises(BreakerOpenError) as refused:
            machine.acquire(10**17)
        assert refused.value.retry_after_s == 30.0
        assert machine.override is Override.FORCED_OPEN

    def test_released_from_forced_open_it_probes_at_once(self) -> None:
        machine = CircuitBreakerStateMachine()
        machine.fire(Trigger.FORCED_OPEN, 0)
        machine.fire(Trigger.RELEASED, 5)
        assert (machine.state, machine.override) == (State.OPEN, Override.NONE)
        assert call(machine, SUCCESS) is State.CLOSED

    def test_forced_closed_lets_everything_pass_and_judges_nothing(self) -> None:
        machine = opened(failure_threshold=1, failure_rate=0.1, minimum_calls=1)
        machine.fire(Trigger.FORCED_CLOSED, 0)
        assert {call(machine, FAILURE) for _ in range(5)} == {State.CLOSED}
        assert machine.snapshot(0).counts.calls == 0

    def test_metrics_only_counts_and_never_opens(self) -> None:
        machine = opened(failure_threshold=1, failure_rate=0.1, minimum_calls=1)
        machine.fire(Trigger.METRICS_ONLY, 0)
        assert {call(machine, FAILURE) for _ in range(5)} == {State.CLOSED}
        assert machine.snapshot(0).counts.failures == 5
        machine.fire(Trigger.RELEASED, 0)
        assert machine.snapshot(0).counts.failures == 0, "what it saw is not held against it"

    @pytest.mark.parametrize("hold", [Trigger.FORCED_OPEN, Trigger.FORCED_CLOSED])
    @pytest.mark.parametrize("trigger", [Trigger.TRIPPED, Trigger.PROBED])
    def test_nothing_else_moves_a_breaker_that_is_held(
        self, hold: Trigger, trigger: Trigger
    ) -> None:
        machine = CircuitBreakerStateMachine()
        machine.fire(hold, 0)
        with pytest.raises(IllegalTransitionError):
            machine.fire(trigger, 0)

    def test_reset_lifts_the_hold(self) -> None:
        machine = CircuitBreakerStateMachine()
        machine.fire(Trigger.FORCED_OPEN, 0)
        machine.fire(Trigger.RESET, 0)
        assert (machine.state, machine.override) == (State.CLOSED, Override.NONE)

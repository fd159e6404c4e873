"""What listeners hear, in which order, and what they cannot break."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

import pytest

from aetherops.resilience import (
    Breaker,
    BreakerOpenError,
    BreakerPolicy,
    CallEvent,
    CallKind,
    Counts,
    Override,
    State,
    TransitionEvent,
    Trigger,
)

from .conftest import ManualClock

pytestmark = pytest.mark.usefixtures("twin")

SECOND = 1_000_000_000


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    policy = BreakerPolicy(failure_threshold=2, failure_rate=0.9, reset_timeout_s=30)
    return Breaker("link", policy, clock=clock)


def fail(breaker: Breaker) -> None:
    with pytest.raises(ValueError):
        breaker.call(int, "x")


def test_a_transition_tells_all_about_itself(breaker: Breaker, clock: ManualClock) -> None:
    events: list[TransitionEvent] = []
    breaker.subscribe(events.append)
    fail(breaker)
    clock.pass_s(1)
    fail(breaker)
    assert events == [
        TransitionEvent(
            breaker="link",
            source=State.CLOSED,
            target=State.OPEN,
            trigger=Trigger.FAILURE_THRESHOLD,
            override=Override.NONE,
            generation=1,
            at_ns=clock.now_ns,
            wait_ns=30 * SECOND,
            counts=Counts(consecutive_failures=2, calls=2, failures=2, slow=0),
        )
    ]
    assert json.loads(json.dumps(asdict(events[0])))["target"] == "open"


def test_a_recovery_is_three_transitions(breaker: Breaker, clock: ManualClock) -> None:
    events: list[TransitionEvent] = []
    breaker.subscribe(events.append)
    breaker.trip()
    clock.pass_s(30)
    breaker.call(int, "1")
    assert [(event.source, event.target, event.trigger) for event in events] == [
        (State.CLOSED, State.OPEN, Trigger.TRIPPED),
        (State.OPEN, State.HALF_OPEN, Trigger.RESET_TIMEOUT),
        (State.HALF_OPEN, State.CLOSED, Trigger.PROBES_SUCCEEDED),
    ]
    assert [event.wait_ns for event in events] == [30 * SECOND, 60 * SECOND, None]


def test_overrides_are_told(breaker: Breaker) -> None:
    events: list[TransitionEvent] = []
    breaker.subscribe(events.append)
    for override in (Override.FORCED_OPEN, Override.FORCED_CLOSED, Override.NONE):
        breaker.force(override)
    assert [(event.override, event.wait_ns) for event in events] == [
        (Override.FORCED_OPEN, None),
        (Override.FORCED_CLOSED, None),
        (Override.NONE, None),
    ]


def test_the_state_has_changed_when_a_listener_hears_of_it(breaker: Breaker) -> None:
    seen: list[State] = []
    breaker.subscribe(lambda event: seen.append(breaker.state))
    breaker.trip()
    breaker.reset()
    assert seen == [State.OPEN, State.CLOSED]


def test_what_a_listener_raises_is_counted_and_reaches_nobody(breaker: Breaker) -> None:
    heard: list[object] = []

    def broken(event: object) -> None:
        raise RuntimeError("listener")

    for listener in (broken, heard.append):
        breaker.subscribe(listener)
        breaker.subscribe_to_calls(listener)
    assert breaker.call(int, "1") == 1
    breaker.trip()
    assert len(heard) == 2
    assert breaker.listener_errors == 2


def test_a_listener_may_act_on_the_breaker_and_is_heard_after_its_event(breaker: Breaker) -> None:
    told: list[State] = []

    def close_again(event: TransitionEvent) -> None:
        if event.target is State.OPEN:
            breaker.reset()

    breaker.subscribe(close_again)
    breaker.subscribe(lambda event: told.append(event.target))
    breaker.trip()
    assert told == [State.OPEN, State.CLOSED]
    assert breaker.state is State.CLOSED


def test_a_listener_that_is_interrupted_loses_no_later_event(breaker: Breaker) -> None:
    heard: list[int] = []

    def interrupted(event: TransitionEvent) -> None:
        heard.append(event.generation)
        if event.generation == 1:
            raise KeyboardInterrupt

    breaker.subscribe(interrupted)
    with pytest.raises(KeyboardInterrupt):
        breaker.trip()
    breaker.reset()
    assert heard == [1, 2]


def test_a_listener_that_was_removed_hears_nothing_more(breaker: Breaker) -> None:
    heard: list[TransitionEvent] = []
    breaker.subscribe(heard.append)
    breaker.machine.listeners.remove(heard.append)
    breaker.trip()
    assert heard == []


async def test_every_outcome_is_told_on_request(breaker: Breaker, clock: ManualClock) -> None:
    calls: list[CallEvent] = []
    breaker.subscribe_to_calls(calls.append)
    breaker.call(clock.pass_s, 2)
    fail(breaker)
    done = asyncio.Event()
    cancelled, late = (asyncio.create_task(breaker(done.wait)()) for _ in range(2))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    breaker.trip()
    done.set()
    await late
    with pytest.raises(BreakerOpenError):
        breaker.call(int, "1")
    kinds = [call.kind for call in calls]
    assert sorted(kinds) == sorted(CallKind)
    assert calls[0] == CallEvent("link", CallKind.SUCCESS, 2 * SECOND, clock.now_ns)
    assert calls[-1] == CallEvent("link", CallKind.REFUSED, 0, clock.now_ns)

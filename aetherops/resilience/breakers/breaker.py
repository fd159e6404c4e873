"""A circuit breaker around calls: its machine, a detector and a clock."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from aetherops._named import UNIFORM
from aetherops.core import guard_coroutine_function, guard_function
from aetherops.core.counter_input import plain_reading
from aetherops.errors import InvalidInputError
from aetherops.events import Listeners
from aetherops.resilience.breakers.detectors import (
    FailureDetector,
    Outcome,
    Verdict,
    classifies_results,
    exceptions,
)
from aetherops.resilience.breakers.errors import BreakerOpenError
from aetherops.resilience.breakers.events import CallEvent, TransitionEvent
from aetherops.resilience.breakers.guarded_block import GuardedBlock
from aetherops.resilience.breakers.machine import CALL_KINDS, CircuitBreakerStateMachine
from aetherops.resilience.breakers.policy import BreakerPolicy
from aetherops.resilience.breakers.snapshot import BreakerSnapshot
from aetherops.resilience.breakers.states import Override, State, Trigger
from aetherops.resilience.fallback import with_fallback

__all__ = ["Breaker"]

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def _checked(clock: Callable[[], int]) -> Callable[[], int]:
    """The clock, whose readings are whole numbers; the system's own are anyway."""
    return lambda: plain_reading(clock())


class Breaker:
    """Guards calls to one dependency, from any number of threads and tasks.

    ::

        breaker = Breaker("postgres", BreakerPolicy(failure_threshold=3))

        @breaker                                     # functions and coroutine functions
        async def fetch(key): ...

        rows = await breaker.call_async(connection.fetch, "select 1")
        line = breaker.call(read_line, socket)
        with breaker.guard(): ...                    # async with, in coroutines

    A cancelled call is neutral. So a timeout belongs inside the guarded call, where it is an error
    of the dependency; around the guard it is a cancellation.

    Parameters
    ----------
    name : the dependency's name.
    policy : when it opens and how it probes.
    detector : what counts as a failure; by default every ``Exception``.
    clock : monotonic nanoseconds.
    random : numbers in [0, 1) for the jitter of waits.
    """

    def __init__(
        self,
        name: str,
        policy: BreakerPolicy | None = None,
        *,
        detector: FailureDetector | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
        random: Callable[[], float] = UNIFORM,
    ) -> None:
        self.machine = CircuitBreakerStateMachine(policy, name, random)
        self._clock = clock if clock is time.monotonic_ns else _checked(clock)
        self._detector = detector if detector is not None else exceptions()
        self._call_listeners: Listeners[CallEvent] = Listeners()
        self._guard = self.machine.guard(
            self._clock, self._classify, classifies_results(self._detector)
        )

    @property
    def name(self) -> str:
        """The dependency's name."""
        return self.machine.name

    @property
    def policy(self) -> BreakerPolicy:
        """When it opens and how it probes."""
        return self.machine.policy

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.machine.state

    @property
    def listener_errors(self) -> int:
        """How often a listener raised."""
        return self.machine.listeners.errors + self._call_listeners.errors

    def __call__(self, function: F) -> F:
        """The function with each of its calls guarded, as a decorator.

        Raises
        ------
        InvalidInputError
            A generator function: it has done nothing yet when it returns. Guard its body with
            :meth:`guard`.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise InvalidInputError("function", function, "a function or a coroutine function")
        if inspect.iscoroutinefunction(function):
            return guard_coroutine_function(self._guard, function)  # type: ignore[return-value]
        return guard_function(self._guard, function)  # type: ignore[return-value]

    def with_fallback(
        self,
        fallback: Callable[..., Any],
        on: tuple[type[Exception], ...] = (BreakerOpenError,),
    ) -> Callable[[F], F]:
        """A decorator: guarded calls, answered by the fallback where one of these errors arises.

        Parameters
        ----------
        fallback : called with the error and the call's own arguments.
        on : the errors it answers; others reach the caller.
        """
        return lambda function: with_fallback(self(function), fallback, on)

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, its call guarded.

        Raises
        ------
        BreakerOpenError
            The call was not made.
        InvalidInputError
            The function returned a coroutine, which was not run.
        """
        return self._guard.call(function, *args, **kwargs)

    def call_async(
        self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, T]:
        """A coroutine of the result of what the function returns to await.

        The function is called in it, under the permit: where it starts work at once, as
        ``loop.run_in_executor`` does, an open breaker starts none.

        Raises
        ------
        BreakerOpenError
            When awaited: the call was not made.
        """
        return self._guard.call_async(function, args, kwargs)

    def guard(self) -> GuardedBlock:
        """A context manager, for one use with ``with`` or ``async with``."""
        return GuardedBlock(self._guard)

    def subscribe(self, listener: Callable[[TransitionEvent], object]) -> None:
        """Tell this listener of every transition."""
        self.machine.listeners.add(listener)

    def subscribe_to_calls(self, listener: Callable[[CallEvent], object]) -> None:
        """Tell this listener of every call's outcome, and of every refusal."""
        self._call_listeners.add(listener)
        self._guard.observe = self._observe

    def trip(self) -> None:
        """Open it now; it probes after the usual wait."""
        self.machine.fire(Trigger.TRIPPED, self._clock())

    def probe(self) -> None:
        """Half-open an open breaker before its time."""
        self.machine.fire(Trigger.PROBED, self._clock())

    def reset(self) -> None:
        """Close it, forget what it counted, and lift any override."""
        self.machine.fire(Trigger.RESET, self._clock())

    def force(self, override: Override) -> None:
        """Hold it in one state until it is released or reset; NONE releases.

        A breaker released from forced open is open and probes at the next call.

        Raises
        ------
        IllegalTransitionError
            NONE, where no override stands.
        """
        trigger = Trigger.RELEASED if override is Override.NONE else Trigger(override)
        self.machine.fire(trigger, self._clock())

    def snapshot(self) -> BreakerSnapshot:
        """It as it stands now: to look at, to keep, and to :meth:`restore`."""
        return self.machine.snapshot(self._clock())

    def restore(self, snapshot: BreakerSnapshot, away_s: float = 0.0) -> None:
        """Go on from a snapshot that was taken ``away_s`` ago, in this process or another."""
        self.machine.restore(snapshot, self._clock(), away_s)

    def _classify(self, result: object, error: Exception | None, duration_ns: int) -> int:
        return Verdict(self._detector(Outcome(result, error, duration_ns / 1e9)))

    def _observe(self, verdict: int, duration_ns: int, now_ns: int) -> None:
        self._call_listeners.tell(CallEvent(self.name, CALL_KINDS[verdict], duration_ns, now_ns))

"""The breaker's first interface, kept for those who call it: a thin face of the state machine."""

from __future__ import annotations

import time
from collections.abc import Callable

from aetherops.resilience.breakers.detectors import Verdict
from aetherops.resilience.breakers.errors import BreakerOpenError
from aetherops.resilience.breakers.machine import CircuitBreakerStateMachine
from aetherops.resilience.breakers.policy import BreakerPolicy
from aetherops.resilience.breakers.states import State, Trigger

__all__ = ["CircuitBreaker"]


class CircuitBreaker:
    """Counts consecutive failures that its caller reports. New code uses :class:`Breaker`.

    Its methods carry no permit, so what they record belongs to the state it is in now.

    Parameters
    ----------
    failure_threshold : consecutive failures that open it.
    reset_timeout_s : seconds until an open one lets a request try again.
    clock : monotonic nanoseconds.
    """

    def __init__(
        self,
        failure_threshold: int = 5,
        reset_timeout_s: float = 30,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        policy = BreakerPolicy(failure_threshold=failure_threshold, reset_timeout_s=reset_timeout_s)
        self.failure_threshold = failure_threshold
        self.reset_timeout_s = reset_timeout_s
        self.machine = CircuitBreakerStateMachine(policy)
        self._clock = clock

    @property
    def state(self) -> State:
        """``"closed"``, ``"open"`` or ``"half-open"``."""
        return self.machine.state

    @property
    def failure_count(self) -> int:
        """Failures since the last success."""
        return self.machine.consecutive_failures

    def record_failure(self) -> State:
        """Count a failure; the state after it, open exactly at the threshold."""
        return self._record(Verdict.FAILURE)

    def record_success(self) -> State:
        """Close it and clear the count; the state after it, closed."""
        if self.state is State.CLOSED:
            return self._record(Verdict.SUCCESS)
        self.machine.fire(Trigger.RESET, self._clock())
        return self.state

    def allow_request(self) -> bool:
        """Whether a request may be made now; in half-open, only the probe."""
        try:
            self.machine.acquire(self._clock())
        except BreakerOpenError:
            return False
        return True

    def half_open(self) -> State:
        """Half-open an open breaker before its time; the state after it."""
        if self.state is State.OPEN:
            self.machine.fire(Trigger.PROBED, self._clock())
        return self.state

    def _record(self, verdict: Verdict) -> State:
        now_ns = self._clock()
        self.machine.record(self.machine.generation, now_ns, verdict, now_ns)
        return self.state

"""A circuit breaker in the plainest words, slow and obvious, for the machine to be held against.

It keeps every outcome it ever counted and looks through all of them each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aetherops.resilience import BreakerPolicy, CountWindow, Override, State, Trigger, Verdict
from aetherops.resilience.breakers.policy import to_ns

FOREVER = None


@dataclass
class Model:
    """One breaker."""

    policy: BreakerPolicy
    state: State = State.CLOSED
    override: Override = Override.NONE
    generation: int = 0
    now_ns: int = 0
    due_ns: int | None = 0
    openings: int = 0
    in_a_row: int = 0
    probes_given: int = 0
    probes: list[bool] = field(default_factory=list)
    outcomes: list[tuple[int, bool, bool]] = field(default_factory=list)
    told: list[tuple[Trigger, State, State, int]] = field(default_factory=list)

    def acquire(self, now_ns: int) -> int | None:
        """The generation of the permit, None where the call is refused."""
        if self.state is not State.CLOSED:
            self._see(now_ns)
        if self.state is State.OPEN and self.due_ns is not FOREVER and self.now_ns >= self.due_ns:
            self._become(State.HALF_OPEN, Trigger.RESET_TIMEOUT, self.now_ns)
        if self.state is State.OPEN:
            return None
        if self.state is State.HALF_OPEN:
            if self.probes_given == self.policy.probe_count:
                return None
            self.probes_given += 1
        return self.generation

    def settle(self, generation: int, start_ns: int, verdict: Verdict, now_ns: int) -> bool:
        """Whether the outcome was of the present generation."""
        limit_s = self.policy.slow_call_s
        slow = limit_s is not None and now_ns - start_ns > to_ns(limit_s)
        self._see(now_ns)
        if generation != self.generation:
            return False
        if verdict is Verdict.NEUTRAL:
            self.probes_given -= self.state is State.HALF_OPEN
            return True
        failed = verdict is Verdict.FAILURE
        self.in_a_row = self.in_a_row + 1 if failed else 0
        if self.state is State.HALF_OPEN:
            self.probes.append(not failed and not slow)
            self._judge_probes()
        elif self.override is not Override.FORCED_CLOSED:
            self.outcomes.append((self.now_ns, failed, slow))
            self._judge_calls(failed)
        return True

    def fire(self, trigger: Trigger, now_ns: int) -> bool:
        """Whether the trigger moved it."""
        held = self.override is not Override.NONE
        state = self.state
        match trigger:
            case Trigger.TRIPPED if not held and state is not State.OPEN:
                target = State.OPEN
            case Trigger.PROBED if not held and state is State.OPEN:
                target = State.HALF_OPEN
            case Trigger.RESET | Trigger.FORCED_CLOSED | Trigger.METRICS_ONLY:
                target = State.CLOSED
            case Trigger.FORCED_OPEN:
                target = State.OPEN
            case Trigger.RELEASED if held:
                target = state
            case _:
                return False
        self.now_ns = max(self.now_ns, now_ns)
        self._become(target, trigger, self.now_ns)
        if trigger in (Trigger.RESET, Trigger.RELEASED):
            self.override = Override.NONE
        elif trigger not in (Trigger.TRIPPED, Trigger.PROBED):
            self.override = Override(trigger)
        return True

    def window(self, now_ns: int) -> tuple[int, int, int]:
        """Calls, failures and slow calls that still count."""
        if not self.policy.has_rates:
            return 0, 0, 0
        window = self.policy.window
        if isinstance(window, CountWindow):
            kept = self.outcomes[-window.size :]
        else:
            width_ns = window.width_ns
            oldest = now_ns // width_ns - window.buckets + 1
            kept = [outcome for outcome in self.outcomes if outcome[0] // width_ns >= oldest]
        return len(kept), sum(failed for _, failed, _ in kept), sum(slow for *_, slow in kept)

    def _see(self, now_ns: int) -> None:
        self.now_ns = max(self.now_ns, now_ns)
        if self.state is State.HALF_OPEN:
            assert self.due_ns is not FOREVER
            if self.now_ns >= self.due_ns:
                self._become(State.OPEN, Trigger.PROBES_EXPIRED, self.due_ns)

    def _judge_probes(self) -> None:
        if self.probes.count(True) == self.policy.success_threshold:
            self._become(State.CLOSED, Trigger.PROBES_SUCCEEDED, self.now_ns)
        elif self.policy.probe_count - self.probes.count(False) < self.policy.success_threshold:
            self._become(State.OPEN, Trigger.PROBES_FAILED, self.now_ns)

    def _judge_calls(self, failed: bool) -> None:
        policy = self.policy
        calls, failures, slow = self.window(self.now_ns)
        if self.override is not Override.NONE:
            return
        threshold = policy.failure_threshold
        if failed and threshold is not None and self.in_a_row >= threshold:
            self._become(State.OPEN, Trigger.FAILURE_THRESHOLD, self.now_ns)
            return
        if calls < policy.minimum_calls:
            return
        if policy.failure_rate is not None and failures / calls >= policy.failure_rate:
            self._become(State.OPEN, Trigger.FAILURE_RATE, self.now_ns)
        elif policy.slow_call_rate is not None and slow / calls >= policy.slow_call_rate:
            self._become(State.OPEN, Trigger.SLOW_CALL_RATE, self.now_ns)

    def _become(self, state: State, trigger: Trigger, at_ns: int) -> None:
        self.told.append((trigger, self.state, state, at_ns))
        self.state = state
        self.generation += 1
        if state is State.CLOSED:
            self.due_ns, self.openings, self.in_a_row, self.outcomes = 0, 0, 0, []
        elif state is State.HALF_OPEN:
            self.due_ns = at_ns + to_ns(self.policy.max_half_open_s)
            self.probes_given, self.probes = 0, []
        elif trigger is Trigger.FORCED_OPEN:
            self.due_ns, self.openings = FOREVER, 0
        elif trigger is Trigger.RELEASED:
            self.due_ns, self.openings = at_ns, 0
        else:
            self.due_ns = at_ns + self._wait_ns()
            self.openings += 1

    def _wait_ns(self) -> int:
        wait_s = self.policy.reset_timeout_s * self.policy.backoff_factor**self.openings
        longest_s = max(self.policy.max_reset_timeout_s, self.policy.reset_timeout_s)
        return to_ns(min(wait_s, longest_s))

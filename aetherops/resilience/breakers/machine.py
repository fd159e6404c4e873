"""The circuit breaker state machine. Time is an argument of everything that depends on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import isfinite
from threading import Lock

from aetherops._named import UNIFORM
from aetherops.core import BreakerKernel, CallGuard, CountOutcomes, TimeOutcomes
from aetherops.errors import InvalidInputError
from aetherops.events import Listeners
from aetherops.resilience.breakers.detectors import Verdict
from aetherops.resilience.breakers.errors import BreakerOpenError, IllegalTransitionError
from aetherops.resilience.breakers.events import CallKind, Counts, TransitionEvent
from aetherops.resilience.breakers.policy import BreakerPolicy, CountWindow, to_ns
from aetherops.resilience.breakers.snapshot import BreakerSnapshot, Totals
from aetherops.resilience.breakers.states import Override, State, Trigger, encode_transitions

__all__ = ["CALL_KINDS", "CircuitBreakerStateMachine", "Permit"]

_STATES = tuple(State)
_TRIGGERS = tuple(Trigger)
_OVERRIDES = {0: Override.NONE} | {
    _TRIGGERS.index(Trigger(override)): override
    for override in Override
    if override is not Override.NONE
}
_OVERRIDE_CODES = {override: code for code, override in _OVERRIDES.items()}
# As the kernels number them; the last is their -1.
CALL_KINDS = (
    CallKind.SUCCESS,
    CallKind.FAILURE,
    CallKind.NEUTRAL,
    CallKind.LATE,
    CallKind.REFUSED,
)
_TABLE = encode_transitions()
_NEVER = 2.0  # no share reaches it
_NEVER_NS = 2**63 - 1
_LONGEST_AWAY_S = 1e9  # no wait and no window is longer
# What a call is told that is refused while probes run: their verdict is usually near.
_PROBING_WAIT_NS = 1_000_000_000


class Permit:
    """The right to make one call: the generation it was given in, and when the call began."""

    __slots__ = ("generation", "is_settled", "start_ns")

    def __init__(self, generation: int, start_ns: int) -> None:
        self.generation = generation
        self.start_ns = start_ns
        self.is_settled = False


class CircuitBreakerStateMachine:
    """Closed, open, half-open: decides who may call from how the calls before ended.

    Safe to share between threads and tasks. Listeners hear transitions in their order, after the
    state has changed and outside any lock; one that acts on the machine is heard after it.

    Parameters
    ----------
    policy : the rules.
    name : what the breaker protects; it stands in events and errors.
    random : numbers in [0, 1) for the jitter of waits.
    """

    def __init__(
        self,
        policy: BreakerPolicy | None = None,
        name: str = "breaker",
        random: Callable[[], float] = UNIFORM,
    ) -> None:
        self.policy = policy if policy is not None else BreakerPolicy()
        self.name = name
        self.listeners: Listeners[TransitionEvent] = Listeners()
        self.transitions: Counter[tuple[State, State]] = Counter()
        self._kernel = _kernel(self.policy)
        self._random = random
        # Forced open has no end: it is told as the longest wait.
        self._longest_waits_ns = (0, self.policy.longest_open_ns, _PROBING_WAIT_NS)
        self._lock = Lock()
        self._telling = False
        self._arm()

    @property
    def state(self) -> State:
        """Where it stands. An open breaker whose time has come half-opens at the next call."""
        return _STATES[self._kernel.state]

    @property
    def override(self) -> Override:
        """The hold that an operator put on it."""
        return _OVERRIDES[self._kernel.override]

    @property
    def generation(self) -> int:
        """Transitions so far."""
        return self._kernel.generation

    @property
    def consecutive_failures(self) -> int:
        """Failures since the last success."""
        return self._kernel.consecutive_failures

    def acquire(self, now_ns: int) -> Permit:
        """A permit for one call, to be settled when the call ends.

        Raises
        ------
        BreakerOpenError
            The call is not to be made.
        """
        generation = self._kernel.acquire(now_ns)
        self._publish()
        if generation < 0:
            raise self._refusal(self._kernel.state, self._kernel.wait_ns(now_ns))
        return Permit(generation, now_ns)

    def settle(self, permit: Permit, verdict: Verdict, now_ns: int) -> CallKind | None:
        """End a call: what became of it, or None where its permit was settled before."""
        if permit.is_settled:
            return None
        permit.is_settled = True
        return self.record(permit.generation, permit.start_ns, verdict, now_ns)

    def record(self, generation: int, start_ns: int, verdict: Verdict, now_ns: int) -> CallKind:
        """Count the outcome of a call that began at ``start_ns`` in this generation."""
        settled = self._kernel.settle(generation, start_ns, verdict, now_ns)
        self._publish()
        return CALL_KINDS[settled]

    def fire(self, trigger: Trigger, now_ns: int) -> None:
        """Move from outside: trip, probe, reset, force or release.

        Raises
        ------
        InvalidInputError
            The trigger fires by itself only.
        IllegalTransitionError
            It does not move a breaker in this state, or under its override.
        """
        if not trigger.is_external:
            raise InvalidInputError("trigger", str(trigger), "one that is fired from outside")
        state = self.state
        if not self._kernel.move(_TRIGGERS.index(trigger), now_ns):
            raise IllegalTransitionError(self.name, state, trigger)
        self._publish()

    def guard(
        self,
        clock: Callable[[], int],
        classify: Callable[[object, Exception | None, int], int],
        classifies_results: bool,
    ) -> CallGuard:
        """What calls pass, on their way in and out, that this machine decides on.

        Parameters
        ----------
        clock : monotonic nanoseconds.
        classify : ``(result, error, duration_ns) -> verdict`` of a call that ended.
        classifies_results : whether a call that returned may be anything but a success.
        """
        return CallGuard(
            self._kernel, clock, classify, classifies_results, self._publish, self._refusal
        )

    def snapshot(self, now_ns: int) -> BreakerSnapshot:
        """The machine as it stands, in ages and waits."""
        rows = self._kernel.rows(now_ns)
        state, override, generation, changed_ns, due_ns, reopenings, *counts = self._kernel.read(
            now_ns
        )
        return BreakerSnapshot(
            breaker=self.name,
            state=_STATES[state],
            override=_OVERRIDES[override],
            generation=generation,
            age_ns=max(now_ns - changed_ns, 0) if generation else 0,
            wait_ns=_wait_ns(due_ns, now_ns) if state else 0,
            reopenings=reopenings,
            counts=Counts(*counts[:4]),
            window=_shape(self.policy),
            rows=tuple(rows),
            totals=Totals(*counts[4:]),
        )

    def restore(self, snapshot: BreakerSnapshot, now_ns: int, away_s: float = 0.0) -> None:
        """Go on from a snapshot that was taken ``away_s`` ago, on any clock.

        Probes that were under way died with their process, so a half-open breaker is open and
        probes at the next call. Outcomes are kept where the window has still the same shape.

        Raises
        ------
        InvalidInputError
            ``away_s`` is not finite.
        """
        if not isfinite(away_s):
            raise InvalidInputError("away_s", away_s, "a finite number of seconds")
        away_ns = round(min(max(away_s, 0.0), _LONGEST_AWAY_S) * 1e9)
        state = State.OPEN if snapshot.state is State.HALF_OPEN else snapshot.state
        self._kernel.restore(
            _STATES.index(state),
            _OVERRIDE_CODES[snapshot.override],
            snapshot.generation,
            snapshot.counts.consecutive_failures,
            snapshot.reopenings,
            now_ns - away_ns - snapshot.age_ns,
            _due_ns(snapshot, now_ns, away_ns),
            list(snapshot.rows) if snapshot.window == _shape(self.policy) else [],
            now_ns,
            away_ns,
        )
        self._arm()

    def _refusal(self, state: int, wait_ns: int) -> BreakerOpenError:
        """The error for a call that gets no permit, from the kernel's state and its wait."""
        longest_ns = self._longest_waits_ns[state]
        wait_s = (wait_ns if wait_ns < longest_ns else longest_ns) / 1e9
        return BreakerOpenError(self.name, wait_s, _STATES[state])

    def _publish(self) -> None:
        """Tell the transitions that were not told yet, in order, one thread at a time."""
        if self._kernel.moved:
            self._arm()
        # Whoever finds another thread telling leaves its transition to that one's loop.
        while self._kernel.moved and self._told_all():
            pass

    def _told_all(self) -> bool:
        """Tell what there is; False where another thread, or a caller of this one, is telling."""
        mine = False
        try:
            # Set both at once: a signal handler that raises must not leave one without the other.
            with self._lock:
                if not self._telling:
                    self._telling = mine = True
            while mine and (move := self._kernel.take_move()) is not None:
                self._tell(self._event(*move))
        finally:
            if mine:
                self._telling = False
        return mine

    def _arm(self) -> None:
        draw = self._random() if self.policy.jitter else 0.5
        self._kernel.arm(self.policy.open_ns(self._kernel.reopenings, draw))

    def _tell(self, event: TransitionEvent) -> None:
        self.transitions[event.source, event.target] += 1
        self.listeners.tell(event)

    def _event(
        self,
        generation: int,
        trigger: int,
        source: int,
        target: int,
        override: int,
        at_ns: int,
        due_ns: int,
        *counts: int,
    ) -> TransitionEvent:
        return TransitionEvent(
            breaker=self.name,
            source=_STATES[source],
            target=_STATES[target],
            trigger=_TRIGGERS[trigger],
            override=_OVERRIDES[override],
            generation=generation,
            at_ns=at_ns,
            wait_ns=_wait_ns(due_ns, at_ns) if target else None,
            counts=Counts(*counts),
        )


def _kernel(policy: BreakerPolicy) -> BreakerKernel:
    return BreakerKernel(
        _TABLE,
        _window(policy),
        policy.failure_threshold or 0,
        _NEVER if policy.failure_rate is None else policy.failure_rate,
        _NEVER if policy.slow_call_rate is None else policy.slow_call_rate,
        0 if policy.slow_call_s is None else to_ns(policy.slow_call_s),
        policy.minimum_calls,
        policy.probe_count,
        policy.success_threshold,
        to_ns(policy.max_half_open_s),
        to_ns(policy.reset_timeout_s),
    )


def _window(policy: BreakerPolicy) -> CountOutcomes | TimeOutcomes | None:
    if not policy.has_rates:
        return None
    if isinstance(policy.window, CountWindow):
        return CountOutcomes(policy.window.size)
    return TimeOutcomes(policy.window.width_ns, policy.window.buckets)


def _shape(policy: BreakerPolicy) -> str:
    if not policy.has_rates:
        return ""
    if isinstance(policy.window, CountWindow):
        return f"count {policy.window.size}"
    return f"time {policy.window.width_ns} {policy.window.buckets}"


def _wait_ns(due_ns: int, now_ns: int) -> int | None:
    return None if due_ns == _NEVER_NS else max(due_ns - now_ns, 0)


def _due_ns(snapshot: BreakerSnapshot, now_ns: int, away_ns: int) -> int:
    if snapshot.state is State.CLOSED:
        return 0
    if snapshot.wait_ns is None:
        return _NEVER_NS
    if snapshot.state is State.HALF_OPEN:
        return now_ns
    return now_ns + max(snapshot.wait_ns - away_ns, 0)

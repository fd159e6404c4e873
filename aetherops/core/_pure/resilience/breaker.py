# Twin: ext/aetherops/core/_native/resilience/breaker.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""The decisions of a circuit breaker: who may call, and what an outcome changes.

Everything is an integer (states, triggers, verdicts, nanoseconds of a monotonic clock), and time is
an argument. ``aetherops.resilience`` gives the integers their names and owns the table of
transitions that is handed in here.

A permit is the generation it was given in. Every transition begins a new generation, so an outcome
of an older one is recognised and dropped.
"""

from __future__ import annotations

from threading import RLock
from typing import NoReturn

from aetherops.core._pure.forked_locks import renew_lock_after_fork
from aetherops.core._pure.resilience.outcomes import CountOutcomes, TimeOutcomes
from aetherops.errors import InvalidInputError

__all__ = ["BreakerKernel"]

# States.
CLOSED, OPEN, HALF_OPEN = 0, 1, 2
# Verdicts on a call, and what became of it. NEUTRAL tells nothing about the dependency.
SUCCESS, FAILURE, NEUTRAL, LATE = 0, 1, 2, 3
# Triggers that fire by themselves.
FAILURE_THRESHOLD, FAILURE_RATE, SLOW_RATE = 0, 1, 2
RESET_TIMEOUT, PROBES_SUCCEEDED, PROBES_FAILED, PROBES_EXPIRED = 3, 4, 5, 6
# Triggers from outside. The three in the middle set an override, under which nothing else moves.
TRIPPED, PROBED, RESET = 7, 8, 9
FORCED_OPEN, FORCED_CLOSED, METRICS_ONLY, RELEASED = 10, 11, 12, 13
TRIGGERS = 14
# In a table: this trigger is illegal in this state.
ILLEGAL = 255

REFUSED = -1
NEVER_NS = 2**63 - 1


class BreakerKernel:
    """One breaker's state, counts and permits.

    Parameters
    ----------
    transitions : the state that each trigger leads to, ``transitions[state * 14 + trigger]``;
        255 where the trigger is illegal.
    window : recent outcomes for the two rates, or None where neither rate is evaluated.
    failure_threshold : consecutive failures that open; 0 for never.
    failure_rate, slow_rate : shares of the window that open; above 1 for never.
    slow_ns : a call that takes longer is slow; 0 for never.
    minimum_calls : calls in the window before a rate is evaluated.
    probe_count : permits of one half-open episode.
    success_threshold : successful probes that close.
    half_open_ns : longest half-open episode; then it opens again.
    open_ns : time from opening to the first probe, until :meth:`arm` sets the next.

    Attributes
    ----------
    state, override : where it stands, and the hold on it, as numbers.
    generation : transitions so far.
    moved : whether transitions wait to be taken.
    changed_ns, due_ns : when it moved last, and when it moves by itself.
    consecutive_failures, reopenings : failures in a row, and openings since it was last closed.
    probes_left, probe_successes, probe_failures : of this half-open episode.
    successes, failures, slow, neutral, late, refused : calls since it was made, by what became
        of them.
    """

    __slots__ = (
        "__weakref__",
        "_failure_rate",
        "_failure_threshold",
        "_half_open_ns",
        "_latest_ns",
        "_lock",
        "_minimum_calls",
        "_moves",
        "_open_ns",
        "_probe_count",
        "_slow_ns",
        "_slow_rate",
        "_success_threshold",
        "_transitions",
        "changed_ns",
        "consecutive_failures",
        "due_ns",
        "failures",
        "generation",
        "late",
        "moved",
        "neutral",
        "override",
        "probe_failures",
        "probe_successes",
        "probes_left",
        "refused",
        "reopenings",
        "slow",
        "state",
        "successes",
        "window",
    )

    def __init__(
        self,
        transitions: bytes,
        window: CountOutcomes | TimeOutcomes | None,
        failure_threshold: int,
        failure_rate: float,
        slow_rate: float,
        slow_ns: int,
        minimum_calls: int,
        probe_count: int,
        success_threshold: int,
        half_open_ns: int,
        open_ns: int,
    ) -> None:
        states = {CLOSED, OPEN, HALF_OPEN, ILLEGAL}
        if len(transitions) != 3 * TRIGGERS or not states.issuperset(transitions):
            raise InvalidInputError(
                "transitions", transitions, f"{3 * TRIGGERS} bytes, each 0, 1, 2 or 255"
            )
        self._transitions = transitions
        self.window = window
        self._failure_threshold = failure_threshold
        self._failure_rate = failure_rate
        self._slow_rate = slow_rate
        self._slow_ns = slow_ns
        self._minimum_calls = minimum_calls
        self._probe_count = probe_count
        self._success_threshold = success_threshold
        self._half_open_ns = half_open_ns
        self._open_ns = open_ns
        self._lock = RLock()
        self._moves: list[tuple[int, ...]] = []
        self._latest_ns = -NEVER_NS
        self.moved = False
        self.state = CLOSED
        self.override = 0
        self.generation = 0
        self.changed_ns = 0
        self.due_ns = 0
        self.consecutive_failures = 0
        self.reopenings = 0
        self.probes_left = self.probe_successes = self.probe_failures = 0
        self.successes = self.failures = self.slow = 0
        self.neutral = self.late = self.refused = 0
        renew_lock_after_fork(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a breaker is neither copied nor pickled: keep its snapshot()")

    def acquire(self, now_ns: int) -> int:
        """A permit for one call, or -1: the call is refused."""
        # Read in this order (see _move), a closed breaker needs no lock: a permit may be late.
        generation = self.generation
        if self.state == CLOSED:
            return generation
        with self._lock:
            now_ns = self._tick(now_ns)
            if self.state == HALF_OPEN:
                self._expire_probes(now_ns)
            if self.state == OPEN and now_ns >= self.due_ns:
                self._move(RESET_TIMEOUT, now_ns)
            if self.state == OPEN or self.probes_left == 0:
                self.refused += 1
                return REFUSED
            self.probes_left -= 1
            return self.generation

    def settle(self, generation: int, start_ns: int, verdict: int, now_ns: int) -> int:
        """End a call: count its verdict and make the transition that it calls for.

        Returns the verdict, or 3 for the outcome of an older generation, which changes nothing.
        """
        with self._lock:
            slow = 0 < self._slow_ns < now_ns - start_ns
            now_ns = self._tick(now_ns)
            if self.state == HALF_OPEN:
                self._expire_probes(now_ns)
            if generation != self.generation:
                self.late += 1
                return LATE
            if verdict == NEUTRAL:
                self.neutral += 1
                if self.state == HALF_OPEN:
                    self.probes_left += 1
                return NEUTRAL
            if verdict == FAILURE:
                self.failures += 1
                self.consecutive_failures += 1
            else:
                self.successes += 1
                self.consecutive_failures = 0
            self.slow += slow
            if self.state == HALF_OPEN:
                self._probe_ended(verdict == FAILURE or slow, now_ns)
            elif self.override != FORCED_CLOSED:
                self._call_ended(verdict == FAILURE, slow, now_ns)
            return verdict

    def move(self, trigger: int, now_ns: int) -> bool:
        """Fire a trigger from outside; False where the table forbids it or an override stands."""
        if not 0 <= trigger < TRIGGERS:
            raise InvalidInputError("trigger", trigger, f"0 to {TRIGGERS - 1}")
        with self._lock:
            if trigger < RESET and self.override:
                return False
            if trigger == RELEASED and not self.override:
                return False
            if self._transitions[self.state * TRIGGERS + trigger] == ILLEGAL:
                return False
            self._move(trigger, self._tick(now_ns))
            return True

    def arm(self, open_ns: int) -> None:
        """Set how long the next opening lasts, drawn in advance so that opening calls nothing."""
        self._open_ns = open_ns

    def take_move(self) -> tuple[int, ...] | None:
        """The oldest transition not taken yet.

        ``(generation, trigger, from, to, override, at_ns, due_ns, consecutive_failures, calls,
        failures, slow)``, the counts as they stood before it; None where all are taken.
        """
        with self._lock:
            moves = self._moves
            if not moves:
                return None
            move = moves[0]
            del moves[0]
            self.moved = moves != []
            return move

    def wait_ns(self, now_ns: int) -> int:
        """Nanoseconds until an open breaker probes or a half-open one expires.

        0 where closed, 2**63 - 1 where forced open.
        """
        if self.state == CLOSED or self.due_ns == NEVER_NS:
            return self.due_ns
        return max(self.due_ns - max(now_ns, self._latest_ns), 0)

    def restore(
        self,
        state: int,
        override: int,
        generation: int,
        consecutive_failures: int,
        reopenings: int,
        changed_ns: int,
        due_ns: int,
        rows: list[tuple[int, int, int]],
        now_ns: int,
        away_ns: int,
    ) -> None:
        """Take up a state that :meth:`read` gave ``away_ns`` ago; no transition is reported."""
        if not CLOSED <= state <= HALF_OPEN:
            raise InvalidInputError("state", state, "0 to 2")
        with self._lock:
            if self.window is not None:
                self.window.restore(rows, now_ns, away_ns)
            self.state = state
            self.override = override
            self.generation = generation
            self.consecutive_failures = consecutive_failures
            self.reopenings = reopenings
            self.changed_ns = changed_ns
            self.due_ns = due_ns

    def read(self, now_ns: int) -> tuple[int, ...]:
        """All at one instant.

        ``(state, override, generation, changed_ns, due_ns, reopenings, consecutive_failures,
        calls, failures, slow)``, then the totals ``(successes, failures, neutral, late, refused,
        slow)``.
        """
        with self._lock:
            standing = (self.state, self.override, self.generation, self.changed_ns, self.due_ns)
            counts = (self.reopenings, self.consecutive_failures, *self._window_counts(now_ns))
            totals = (self.successes, self.failures, self.neutral, self.late, self.refused)
            return (*standing, *counts, *totals, self.slow)

    def rows(self, now_ns: int) -> list[tuple[int, int, int]]:
        """The window's contents, ``(calls, failures, slow)`` each."""
        with self._lock:
            return self.window.rows(now_ns) if self.window is not None else []

    def _tick(self, now_ns: int) -> int:
        # Threads read the clock before they come here: time never goes back inside.
        if now_ns > self._latest_ns:
            self._latest_ns = now_ns
        return self._latest_ns

    def _expire_probes(self, now_ns: int) -> None:
        if now_ns >= self.due_ns:
            self._move(PROBES_EXPIRED, self.due_ns)

    def _probe_ended(self, failed: bool, now_ns: int) -> None:
        if failed:
            self.probe_failures += 1
            # Too few probes are left for the successes that would close.
            if self.probe_failures > self._probe_count - self._success_threshold:
                self._move(PROBES_FAILED, now_ns)
        else:
            self.probe_successes += 1
            if self.probe_successes >= self._success_threshold:
                self._move(PROBES_SUCCEEDED, now_ns)

    def _call_ended(self, failed: bool, slow: bool, now_ns: int) -> None:
        window = self.window
        if window is not None:
            window.push(now_ns, failed, slow)
        if self.state == OPEN or self.override:
            return
        if failed and 0 < self._failure_threshold <= self.consecutive_failures:
            self._move(FAILURE_THRESHOLD, now_ns)
        elif window is None or window.calls < self._minimum_calls:
            return
        elif window.failures and window.failures / window.calls >= self._failure_rate:
            self._move(FAILURE_RATE, now_ns)
        elif window.slow and window.slow / window.calls >= self._slow_rate:
            self._move(SLOW_RATE, now_ns)

    def _move(self, trigger: int, at_ns: int) -> None:
        before, consecutive_failures = self.state, self.consecutive_failures
        state = self._transitions[before * TRIGGERS + trigger]
        if state == ILLEGAL:
            return
        counts = self._window_counts(at_ns)
        due_ns, reopenings = self._hold(state, trigger, at_ns)
        if state == CLOSED and self.window is not None:
            self.window.clear()
        # From here on nothing is called: a signal handler finds all of the transition or none.
        # The state first: who reads the generation before the state takes no permit of a new one.
        self.state = state
        self.generation += 1
        self.changed_ns = at_ns
        self.due_ns = due_ns
        self.reopenings = reopenings
        if trigger >= RESET:
            self.override = trigger if FORCED_OPEN <= trigger <= METRICS_ONLY else 0
        if state == CLOSED:
            self.consecutive_failures = 0
        elif state == HALF_OPEN:
            self.probes_left = self._probe_count
            self.probe_successes = self.probe_failures = 0
        standing = (self.generation, trigger, before, state, self.override, at_ns, due_ns)
        self._moves += ((*standing, consecutive_failures, *counts),)
        self.moved = True

    def _window_counts(self, now_ns: int) -> tuple[int, int, int]:
        window = self.window
        if window is None:
            return 0, 0, 0
        window.advance(now_ns)
        return window.calls, window.failures, window.slow

    def _hold(self, state: int, trigger: int, at_ns: int) -> tuple[int, int]:
        """When a state that is entered now ends by itself, and the openings so far."""
        if state == CLOSED:
            return 0, 0
        if state == HALF_OPEN:
            return at_ns + self._half_open_ns, self.reopenings
        if trigger in (FORCED_OPEN, RELEASED):
            # A released breaker probes at once, and backs off from the beginning.
            return NEVER_NS if trigger == FORCED_OPEN else at_ns, 0
        return at_ns + self._open_ns, self.reopenings + 1

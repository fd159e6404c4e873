# Twin: aetherops/core/_pure/resilience/breaker.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""The decisions of a circuit breaker: who may call, and what an outcome changes.

The interpreter's lock makes each step one: fields are integers of C, and Python code can run only
where a transition builds its record, after the fields have changed.
"""

from libc.string cimport memcpy

from aetherops.core._native.resilience.outcomes cimport Outcomes

from aetherops.errors import InvalidInputError

cdef enum:
    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2

cdef enum:
    FAILURE_THRESHOLD = 0
    FAILURE_RATE = 1
    SLOW_RATE = 2
    RESET_TIMEOUT = 3
    PROBES_SUCCEEDED = 4
    PROBES_FAILED = 5
    PROBES_EXPIRED = 6
    RESET = 9
    FORCED_OPEN = 10
    FORCED_CLOSED = 11
    METRICS_ONLY = 12
    RELEASED = 13
    TRIGGERS = 14
    ILLEGAL = 255

cdef long long NEVER_NS = 0x7FFFFFFFFFFFFFFF


cdef class BreakerKernel:
    """BreakerKernel(transitions, window, failure_threshold, failure_rate, slow_rate, slow_ns, \
minimum_calls, probe_count, success_threshold, half_open_ns, open_ns)\n--\n
    One breaker's state, counts and permits.

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

    def __init__(
        self,
        bytes transitions not None,
        Outcomes window,
        long long failure_threshold,
        double failure_rate,
        double slow_rate,
        long long slow_ns,
        long long minimum_calls,
        long long probe_count,
        long long success_threshold,
        long long half_open_ns,
        long long open_ns,
    ):
        states = {CLOSED, OPEN, HALF_OPEN, ILLEGAL}
        if len(transitions) != 3 * TRIGGERS or not states.issuperset(transitions):
            raise InvalidInputError(
                "transitions", transitions, f"{3 * TRIGGERS} bytes, each 0, 1, 2 or 255"
            )
        memcpy(self.transitions, <const char *>transitions, 3 * TRIGGERS)
        self.window = window
        self.failure_threshold = failure_threshold
        self.failure_rate = failure_rate
        self.slow_rate = slow_rate
        self.slow_ns = slow_ns
        self.minimum_calls = minimum_calls
        self.probe_count = probe_count
        self.success_threshold = success_threshold
        self.half_open_ns = half_open_ns
        self.open_ns = open_ns
        self.moves = []
        self.latest_ns = -NEVER_NS

    def __reduce__(self):
        raise TypeError("a breaker is neither copied nor pickled: keep its snapshot()")

    def acquire(self, long long now_ns):
        """A permit for one call, or -1: the call is refused."""
        return self.give_permit(now_ns)

    cdef long long give_permit(self, long long now_ns) except -2:
        if self.state == CLOSED:
            return self.generation
        now_ns = self.tick(now_ns)
        if self.state == HALF_OPEN:
            self.expire_probes(now_ns)
        if self.state == OPEN and now_ns >= self.due_ns:
            self.make_move(RESET_TIMEOUT, now_ns)
        if self.state == OPEN or self.probes_left == 0:
            self.refused += 1
            return REFUSED
        self.probes_left -= 1
        return self.generation

    def settle(self, long long generation, long long start_ns, int verdict, long long now_ns):
        """End a call: count its verdict and make the transition that it calls for.

        Returns the verdict, or 3 for the outcome of an older generation, which changes nothing.
        """
        return self.end_call(generation, start_ns, verdict, now_ns)

    cdef int end_call(
        self, long long generation, long long start_ns, int verdict, long long now_ns
    ) except -2:
        cdef bint slow = 0 < self.slow_ns < now_ns - start_ns
        now_ns = self.tick(now_ns)
        if self.state == HALF_OPEN:
            self.expire_probes(now_ns)
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
            self.probe_ended(verdict == FAILURE or slow, now_ns)
        elif self.override != FORCED_CLOSED:
            self.call_ended(verdict == FAILURE, slow, now_ns)
        return verdict

    def move(self, int trigger, long long now_ns):
        """Fire a trigger from outside; False where the table forbids it or an override stands."""
        if not 0 <= trigger < TRIGGERS:
            raise InvalidInputError("trigger", trigger, f"0 to {TRIGGERS - 1}")
        if trigger < RESET and self.override:
            return False
        if trigger == RELEASED and not self.override:
            return False
        if self.transitions[self.state * TRIGGERS + trigger] == ILLEGAL:
            return False
        self.make_move(trigger, self.tick(now_ns))
        return True

    def arm(self, long long open_ns):
        """Set how long the next opening lasts, drawn in advance so that opening calls nothing."""
        self.open_ns = open_ns

    def take_move(self):
        """The oldest transition not taken yet.

        ``(generation, trigger, from, to, override, at_ns, due_ns, consecutive_failures, calls,
        failures, slow)``, the counts as they stood before it; None where all are taken.
        """
        if not self.moves:
            return None
        move = self.moves.pop(0)
        self.moved = len(self.moves) > 0
        return move

    cpdef long long wait_ns(self, long long now_ns) noexcept:
        """Nanoseconds until an open breaker probes or a half-open one expires.

        0 where closed, 2**63 - 1 where forced open.
        """
        if self.state == CLOSED or self.due_ns == NEVER_NS:
            return self.due_ns
        return max(self.due_ns - max(now_ns, self.latest_ns), 0)

    def restore(
        self,
        int state,
        int override,
        long long generation,
        long long consecutive_failures,
        long long reopenings,
        long long changed_ns,
        long long due_ns,
        list rows,
        long long now_ns,
        long long away_ns,
    ):
        """Take up a state that :meth:`read` gave ``away_ns`` ago; no transition is reported."""
        if not CLOSED <= state <= HALF_OPEN:
            raise InvalidInputError("state", state, "0 to 2")
        if self.window is not None:
            self.window.restore(rows, now_ns, away_ns)
        self.state = state
        self.override = override
        self.generation = generation
        self.consecutive_failures = consecutive_failures
        self.reopenings = reopenings
        self.changed_ns = changed_ns
        self.due_ns = due_ns

    def read(self, long long now_ns):
        """All at one instant.

        ``(state, override, generation, changed_ns, due_ns, reopenings, consecutive_failures,
        calls, failures, slow)``, then the totals ``(successes, failures, neutral, late, refused,
        slow)``.
        """
        cdef long long calls = 0, failures = 0, slow = 0
        if self.window is not None:
            self.window.move_on(now_ns)
            calls, failures, slow = self.window.calls, self.window.failures, self.window.slow
        return (
            self.state, self.override, self.generation, self.changed_ns, self.due_ns,
            self.reopenings, self.consecutive_failures, calls, failures, slow,
            self.successes, self.failures, self.neutral, self.late, self.refused, self.slow,
        )

    def rows(self, long long now_ns):
        """The window's contents, ``(calls, failures, slow)`` each."""
        return self.window.rows(now_ns) if self.window is not None else []

    cdef long long tick(self, long long now_ns) noexcept:
        # Threads read the clock before they come here: time never goes back inside.
        if now_ns > self.latest_ns:
            self.latest_ns = now_ns
        return self.latest_ns

    cdef int expire_probes(self, long long now_ns) except -1:
        if now_ns >= self.due_ns:
            self.make_move(PROBES_EXPIRED, self.due_ns)
        return 0

    cdef int probe_ended(self, bint failed, long long now_ns) except -1:
        if failed:
            self.probe_failures += 1
            # Too few probes are left for the successes that would close.
            if self.probe_failures > self.probe_count - self.success_threshold:
                self.make_move(PROBES_FAILED, now_ns)
        else:
            self.probe_successes += 1
            if self.probe_successes >= self.success_threshold:
                self.make_move(PROBES_SUCCEEDED, now_ns)
        return 0

    cdef int call_ended(self, bint failed, bint slow, long long now_ns) except -1:
        cdef Outcomes window = self.window
        if window is not None:
            window.add(now_ns, failed, slow)
        if self.state == OPEN or self.override:
            return 0
        if failed and 0 < self.failure_threshold <= self.consecutive_failures:
            self.make_move(FAILURE_THRESHOLD, now_ns)
        elif window is None or window.calls < self.minimum_calls:
            return 0
        elif window.failures and <double>window.failures / window.calls >= self.failure_rate:
            self.make_move(FAILURE_RATE, now_ns)
        elif window.slow and <double>window.slow / window.calls >= self.slow_rate:
            self.make_move(SLOW_RATE, now_ns)
        return 0

    cdef int make_move(self, int trigger, long long at_ns) except -1:
        cdef int before = self.state
        cdef int after = self.transitions[before * TRIGGERS + trigger]
        cdef long long consecutive_failures = self.consecutive_failures
        cdef long long calls = 0, failures = 0, slow = 0
        if after == ILLEGAL:
            return 0
        if self.window is not None:
            self.window.move_on(at_ns)
            calls, failures, slow = self.window.calls, self.window.failures, self.window.slow
        self.enter(after, trigger, at_ns)
        # Only now are objects made, which may collect garbage and so run anything.
        self.moves.append(
            (self.generation, trigger, before, self.state, self.override, at_ns, self.due_ns,
             consecutive_failures, calls, failures, slow)
        )
        self.moved = True
        return 0

    cdef void enter(self, int state, int trigger, long long at_ns) noexcept:
        self.state = state
        self.generation += 1
        self.changed_ns = at_ns
        if trigger >= RESET:
            self.override = trigger if FORCED_OPEN <= trigger <= METRICS_ONLY else 0
        if state == CLOSED:
            self.close()
        elif state == OPEN:
            self.open(trigger, at_ns)
        else:
            self.due_ns = at_ns + self.half_open_ns
            self.probes_left = self.probe_count
            self.probe_successes = self.probe_failures = 0

    cdef void close(self) noexcept:
        self.due_ns = 0
        self.reopenings = 0
        self.consecutive_failures = 0
        if self.window is not None:
            self.window.forget()

    cdef void open(self, int trigger, long long at_ns) noexcept:
        if trigger == FORCED_OPEN or trigger == RELEASED:
            # A released breaker probes at once, and backs off from the beginning.
            self.due_ns = NEVER_NS if trigger == FORCED_OPEN else at_ns
            self.reopenings = 0
        else:
            self.due_ns = at_ns + self.open_ns
            self.reopenings += 1

"""The decisions of a circuit breaker, for the guards that ask it."""

from cython cimport final

from aetherops.core._native.resilience.outcomes cimport Outcomes


cdef enum:
    # Verdicts.
    SUCCESS = 0
    FAILURE = 1
    NEUTRAL = 2
    LATE = 3
    # No permit.
    REFUSED = -1


@final
cdef class BreakerKernel:
    cdef unsigned char transitions[42]
    cdef readonly Outcomes window
    cdef long long failure_threshold
    cdef double failure_rate
    cdef double slow_rate
    cdef long long slow_ns
    cdef long long minimum_calls
    cdef long long probe_count
    cdef long long success_threshold
    cdef long long half_open_ns
    cdef long long open_ns
    cdef long long latest_ns
    cdef list moves

    cdef readonly bint moved
    cdef readonly int state
    cdef readonly int override
    cdef readonly long long generation
    cdef readonly long long changed_ns
    cdef readonly long long due_ns
    cdef readonly long long consecutive_failures
    cdef readonly long long reopenings
    cdef readonly long long probes_left
    cdef readonly long long probe_successes
    cdef readonly long long probe_failures
    cdef readonly long long successes
    cdef readonly long long failures
    cdef readonly long long slow
    cdef readonly long long neutral
    cdef readonly long long late
    cdef readonly long long refused

    cdef long long give_permit(self, long long now_ns) except -2
    cdef int end_call(
        self, long long generation, long long start_ns, int verdict, long long now_ns
    ) except -2
    cpdef long long wait_ns(self, long long now_ns) noexcept
    cdef long long tick(self, long long now_ns) noexcept
    cdef int expire_probes(self, long long now_ns) except -1
    cdef int probe_ended(self, bint failed, long long now_ns) except -1
    cdef int call_ended(self, bint failed, bint slow, long long now_ns) except -1
    cdef int make_move(self, int trigger, long long at_ns) except -1
    cdef void enter(self, int state, int trigger, long long at_ns) noexcept
    cdef void close(self) noexcept
    cdef void open(self, int trigger, long long at_ns) noexcept

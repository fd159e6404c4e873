# Twin: aetherops/core/_pure/resilience/outcomes.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Sliding windows of call outcomes: the last n calls, or the calls of the last seconds.

A call and its outcome enter a window in one step, when the call ends, so no reader ever sees a
call without its outcome.
"""

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from cython cimport cdivision

from aetherops.errors import InvalidInputError

cdef enum:
    FAILED = 1
    SLOW = 2


cdef class Outcomes:
    """What the two windows share: their totals."""

    cdef void add(self, long long now_ns, bint failed, bint slow) noexcept:
        pass

    cdef void move_on(self, long long now_ns) noexcept:
        pass

    cdef void forget(self) noexcept:
        self.calls = 0
        self.failures = 0
        self.slow = 0

    def push(self, long long now_ns, bint failed, bint slow):
        """Add one outcome, in place of the oldest where there is no room."""
        self.add(now_ns, failed, slow)

    def advance(self, long long now_ns):
        """Forget what is too old at ``now_ns``."""
        self.move_on(now_ns)

    def clear(self):
        """Forget every outcome."""
        self.forget()


cdef class CountOutcomes(Outcomes):
    """CountOutcomes(size)\n--\n
    The outcomes of the last ``size`` calls: a ring of one byte a call and its running totals.

    Parameters
    ----------
    size : calls remembered, at least 1.

    Attributes
    ----------
    calls, failures, slow : of the outcomes remembered, how many there are, failed, were slow.
    """

    def __cinit__(self, long long size):
        if size < 1:
            raise InvalidInputError("size", size, "at least 1")
        self.size = size
        self.ring = <unsigned char *>PyMem_Calloc(size, 1)
        if self.ring == NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.ring)

    cdef void add(self, long long now_ns, bint failed, bint slow) noexcept:
        cdef int oldest
        if self.calls == self.size:
            oldest = self.ring[self.next]
            self.failures -= oldest & FAILED
            self.slow -= oldest >> 1
        else:
            self.calls += 1
        self.ring[self.next] = (FAILED if failed else 0) | (SLOW if slow else 0)
        self.next += 1
        if self.next == self.size:
            self.next = 0
        self.failures += failed
        self.slow += slow

    cdef void forget(self) noexcept:
        self.next = 0
        self.calls = 0
        self.failures = 0
        self.slow = 0

    def rows(self, long long now_ns):
        """One ``(calls, failures, slow)`` a remembered call, oldest first."""
        cdef long long oldest = self.next - self.calls + self.size, i
        cdef list rows = []
        cdef int outcome
        for i in range(self.calls):
            outcome = self.ring[(oldest + i) % self.size]
            rows.append((1, outcome & FAILED, outcome >> 1))
        return rows

    def restore(self, list rows, long long now_ns, long long away_ns):
        """Take the place of a window that :meth:`rows` described ``away_ns`` ago."""
        self.forget()
        for _, failed, slow in rows:
            self.add(now_ns, bool(failed), bool(slow))


cdef class TimeOutcomes(Outcomes):
    """TimeOutcomes(width_ns, count)\n--\n
    The outcomes of the last ``width_ns * count`` nanoseconds, in ``count`` buckets.

    A bucket is forgotten whole, so the window spans between ``count - 1`` and ``count`` widths.
    Buckets begin at multiples of the width; a clock that goes back writes into the newest bucket.

    Parameters
    ----------
    width_ns : width of a bucket, at least 1.
    count : buckets, at least 1.

    Attributes
    ----------
    calls, failures, slow : of the outcomes remembered, how many there are, failed, were slow.
    """

    def __cinit__(self, long long width_ns, long long count):
        if width_ns < 1:
            raise InvalidInputError("width_ns", width_ns, "at least 1")
        if count < 1:
            raise InvalidInputError("count", count, "at least 1")
        self.width_ns = width_ns
        self.count = count
        self.buckets = <Bucket *>PyMem_Calloc(count, sizeof(Bucket))
        if self.buckets == NULL:
            raise MemoryError
        self.ends_ns = width_ns

    def __dealloc__(self):
        PyMem_Free(self.buckets)

    cdef void add(self, long long now_ns, bint failed, bint slow) noexcept:
        # Most calls fall into the newest bucket: two comparisons instead of a division.
        if not self.ends_ns - self.width_ns <= now_ns < self.ends_ns:
            self.move_on(now_ns)
        cdef Bucket *bucket = &self.buckets[self.newest]
        bucket.calls += 1
        bucket.failures += failed
        bucket.slow += slow
        self.calls += 1
        self.failures += failed
        self.slow += slow

    cdef void move_on(self, long long now_ns) noexcept:
        cdef long long epoch = floor_division(now_ns, self.width_ns)
        if self.calls == 0:
            self.turn(epoch)
        elif epoch - self.epoch >= self.count:
            self.forget()
            self.turn(epoch)
        else:
            while self.epoch < epoch:
                self.turn(self.epoch + 1)
                self.empty(&self.buckets[self.newest])

    @cdivision(False)
    cdef void turn(self, long long epoch) noexcept:
        self.epoch = epoch
        self.newest = epoch % self.count
        self.ends_ns = (epoch + 1) * self.width_ns

    cdef void empty(self, Bucket *bucket) noexcept:
        self.calls -= bucket.calls
        self.failures -= bucket.failures
        self.slow -= bucket.slow
        bucket.calls = bucket.failures = bucket.slow = 0

    cdef void forget(self) noexcept:
        cdef long long place
        for place in range(self.count):
            self.buckets[place].calls = self.buckets[place].failures = self.buckets[place].slow = 0
        self.calls = 0
        self.failures = 0
        self.slow = 0

    def rows(self, long long now_ns):
        """One ``(calls, failures, slow)`` a bucket, newest first."""
        cdef long long age
        cdef Bucket *bucket
        cdef list rows = []
        self.move_on(now_ns)
        for age in range(self.count):
            bucket = self.aged(age)
            rows.append((bucket.calls, bucket.failures, bucket.slow))
        return rows

    def restore(self, list rows, long long now_ns, long long away_ns):
        """Take the place of a window that :meth:`rows` described ``away_ns`` ago."""
        cdef long long age
        if away_ns < 0:
            raise InvalidInputError("away_ns", away_ns, "at least 0")
        age = away_ns // self.width_ns
        cdef Bucket *bucket
        self.forget()
        self.turn(floor_division(now_ns, self.width_ns))
        for calls, failures, slow in rows:
            if age >= self.count:
                break
            bucket = self.aged(age)
            bucket.calls, bucket.failures, bucket.slow = calls, failures, slow
            self.calls += bucket.calls
            self.failures += bucket.failures
            self.slow += bucket.slow
            age += 1

    cdef Bucket *aged(self, long long age) noexcept:
        cdef long long place = self.newest - age
        return &self.buckets[place + self.count if place < 0 else place]


@cdivision(False)
cdef long long floor_division(long long number, long long divisor) noexcept:
    return number // divisor

# Twin: aetherops/core/_pure/aggregation/sliding.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Moments of a window that slides, without a subtraction that could lose digits.

Two stacks make a queue: for the older values, the moments of each of them with all that follow it
up to the turn; for the newer ones, the moments of all since the turn. A value that leaves takes its
entry along. When no older value is left, the newer ones are turned over: each value is merged twice
in its life, and nothing is ever taken out of a sum.
"""

from cpython cimport array
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.math cimport NAN, isfinite
from libc.stdint cimport int64_t
from libc.string cimport memmove

from array import array as make_array

from aetherops.core._native.aggregation.floats cimport FloatReader
from aetherops.core._native.aggregation.moments cimport Totals, merge_totals

from aetherops.errors import InvalidInputError

cdef array.array _FLOATS = make_array("d")
cdef array.array _INTEGERS = make_array("q")
cdef Totals _NOTHING = Totals(0, NAN, 0.0, 0.0, NAN, NAN, NAN, NAN)


cdef Totals single(double x) noexcept nogil:
    cdef double extreme = x + 0.0
    return Totals(1, x, 0.0, 0.0 if isfinite(x) else NAN, extreme, extreme, x, x)


cdef struct Entry:
    double value
    int64_t time_us
    Totals onward       # of this value and those that follow it up to the turn


cdef class SlidingMoments:
    """The moments of the last ``size`` values, or of those younger than ``duration_us``."""

    cdef readonly int64_t size          # 0: not limited by number
    cdef readonly int64_t duration_us   # 0: not limited by time
    cdef Entry *entries
    cdef int64_t capacity
    cdef int64_t head, turn, tail       # entries in use; the older end at the turn
    cdef Totals newer

    def __init__(self, *, int64_t size=0, int64_t duration_us=0):
        if (size > 0) == (duration_us > 0) or size < 0 or duration_us < 0:
            raise InvalidInputError(
                "size", (size, duration_us), "either a size or a duration_us, more than 0"
            )
        self.size = size
        self.duration_us = duration_us
        self.reset()

    def __dealloc__(self):
        PyMem_Free(self.entries)

    def reset(self):
        self.head = self.turn = self.tail = 0
        self.newer = _NOTHING

    def push(self, double x, int64_t time_us=0):
        if self.duration_us and self.tail > self.head:
            if time_us < self.entries[self.tail - 1].time_us:
                raise InvalidInputError("time_us", time_us, "no time before its predecessor")
        self.append(x, time_us)

    def push_many(self, values, const int64_t[::1] times_us=None):
        cdef FloatReader reader = FloatReader(values)
        cdef double[512] strip
        cdef Py_ssize_t got, i, index = 0
        while True:
            got = reader.read(strip, 512)
            if got == 0:
                return
            for i in range(index, index + got):
                if self.duration_us and (times_us is None or i >= len(times_us)):
                    raise InvalidInputError("times_us", i, f"a time for values[{i}]")
                self.push(strip[i - index], times_us[i] if self.duration_us else 0)
            index += got

    def roll(self, values):
        cdef FloatReader reader = FloatReader(values)
        cdef double[512] strip
        cdef double[4][512] rolled
        cdef int64_t[512] counts
        cdef Py_ssize_t got, i
        cdef int column
        cdef Totals totals
        count = make_array("q")
        columns = [make_array("d") for _ in range(4)]
        while True:
            got = reader.read(strip, 512)
            if got == 0:
                return count, *columns
            for i in range(got):
                self.append(strip[i], 0)
                totals = self.totals()
                counts[i] = totals.count
                rolled[0][i] = totals.mean
                rolled[1][i] = totals.m2
                rolled[2][i] = totals.min
                rolled[3][i] = totals.max
            count.frombytes((<const char *>counts)[:got * sizeof(int64_t)])
            for column in range(4):
                columns[column].frombytes((<const char *>rolled[column])[:got * sizeof(double)])

    def expire(self, int64_t now_us):
        if not self.duration_us:
            return
        while (self.tail > self.head
               and self.entries[self.head].time_us <= now_us - self.duration_us):
            self.drop()

    cdef int append(self, double x, int64_t time_us) except -1:
        cdef Totals one = single(x)
        if self.tail == self.capacity:
            self.make_room()
        self.entries[self.tail].value = x
        self.entries[self.tail].time_us = time_us
        self.tail += 1
        merge_totals(&self.newer, &one)
        if self.size and self.tail - self.head > self.size:
            self.drop()
        self.expire(time_us)
        return 0

    cdef int make_room(self) except -1:
        """Move the entries to the front where that frees half of the room, else widen it."""
        cdef int64_t used = self.tail - self.head, capacity
        cdef Entry *entries
        if self.head < used or self.head == 0:
            capacity = max(<int64_t>64, 2 * self.capacity)
            entries = <Entry *>PyMem_Realloc(self.entries, capacity * sizeof(Entry))
            if entries == NULL:
                raise MemoryError
            self.entries = entries
            self.capacity = capacity
        else:
            memmove(self.entries, self.entries + self.head, used * sizeof(Entry))
            self.turn -= self.head
            self.tail = used
            self.head = 0
        return 0

    cdef void drop(self) noexcept:
        """Let the oldest value go."""
        if self.head == self.turn:
            self.turn_over()
        self.head += 1

    cdef void turn_over(self) noexcept:
        cdef int64_t i = self.tail
        cdef Totals onward = _NOTHING, one
        while i > self.head:
            i -= 1
            one = single(self.entries[i].value)
            merge_totals(&one, &onward)
            onward = one
            self.entries[i].onward = onward
        self.turn = self.tail
        self.newer = _NOTHING

    cdef Totals totals(self) noexcept:
        cdef Totals totals = _NOTHING
        if self.head < self.turn:
            totals = self.entries[self.head].onward
        merge_totals(&totals, &self.newer)
        return totals

    def summary(self):
        cdef Totals t = self.totals()
        return t.count, t.mean, t.m2, t.min, t.max, t.first, t.last

    @property
    def count(self):
        return self.tail - self.head

    def values(self):
        cdef array.array values = array.clone(_FLOATS, self.tail - self.head, zero=False)
        cdef int64_t i
        for i in range(self.head, self.tail):
            values.data.as_doubles[i - self.head] = self.entries[i].value
        return values

    def times_us(self):
        cdef array.array times = array.clone(_INTEGERS, self.tail - self.head, zero=False)
        cdef int64_t i
        for i in range(self.head, self.tail):
            times.data.as_longlongs[i - self.head] = self.entries[i].time_us
        return times

    def state(self):
        return self.values(), self.times_us(), self.turn - self.head

    def restore(self, values, times_us, older):
        if not 0 <= older <= len(values) == len(times_us):
            raise InvalidInputError("older", older, "0 to the number of values, a time for each")
        self.reset()
        size, duration_us, self.size, self.duration_us = self.size, self.duration_us, 0, 0
        for i, (value, time_us) in enumerate(zip(values, times_us), 1):
            self.append(value, time_us)
            if i == older:
                self.turn_over()
        self.size, self.duration_us = size, duration_us

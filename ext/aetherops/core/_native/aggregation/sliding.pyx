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
from libc.stdint cimport INT64_MIN, int64_t
from libc.string cimport memmove

from array import array as make_array

from aetherops.core._native.aggregation.floats cimport (
    Column, FloatReader, int64_column, read_int64, read_whole,
)
from aetherops.core._native.aggregation.moments cimport Totals, merge_totals

from aetherops.core.aggregation_input import checked_state
from aetherops.errors import InvalidInputError

cdef array.array _FLOATS = make_array("d")
cdef array.array _INTEGERS = make_array("q")
cdef object _ZERO = 0
cdef Totals _NOTHING = Totals(0, NAN, 0.0, 0.0, NAN, NAN, NAN, NAN)


cdef Totals single(double x) noexcept nogil:
    cdef double extreme = x + 0.0
    return Totals(1, x, 0.0, 0.0 if isfinite(x) else NAN, extreme, extreme, x, x)


cdef struct Entry:
    double value
    int64_t time_us
    Totals onward       # of this value and those that follow it up to the turn


cdef class SlidingMoments:
    """SlidingMoments(*, size=0, duration_us=0)\n--\n
    The moments of the last ``size`` values, or of those younger than ``duration_us``."""

    cdef object __weakref__
    cdef int64_t limit                  # of the number of values, 0 for none
    cdef int64_t duration               # in microseconds, 0 for any
    cdef Entry *entries
    cdef int64_t capacity
    cdef int64_t head, turn, tail       # entries in use; the older end at the turn
    cdef Totals newer

    def __init__(self, *, size=0, duration_us=0):
        if (size > 0) == (duration_us > 0) or size < 0 or duration_us < 0:
            raise InvalidInputError(
                "size", (size, duration_us), "either a size or a duration_us, more than 0"
            )
        self.limit = read_whole(size, "size", 0)
        self.duration = read_int64(duration_us, "duration_us")
        self.reset()

    def __dealloc__(self):
        PyMem_Free(self.entries)

    @property
    def size(self):
        """Values in a full window; 0 where it is not limited by number."""
        return self.limit

    @property
    def duration_us(self):
        """How long a value stays; 0 where the window is not limited by time."""
        return self.duration

    def reset(self):
        """Forget every value."""
        self.head = self.turn = self.tail = 0
        self.newer = _NOTHING

    def push(self, double x, time_us=0):
        """Take one value, and let those go for which it leaves no room.

        Raises
        ------
        InvalidInputError
            The window is one of time, and the time is before that of the value before.
        """
        cdef int64_t time = 0 if time_us is _ZERO else read_int64(time_us, "time_us")
        self.take(x, time)

    cdef int take(self, double x, int64_t time_us) except -1:
        if self.duration and self.tail > self.head:
            if time_us < self.entries[self.tail - 1].time_us:
                raise InvalidInputError("time_us", time_us, "no time before its predecessor")
        self.append(x, time_us)
        return 0

    def push_many(self, values, times_us=None):
        """Take values one after the other, with a time for each where the window is one of time.

        Parameters
        ----------
        values : an iterable, or a buffer of float64.
        times_us : int64, microseconds that do not run backwards; not read by a window of size.

        Raises
        ------
        InvalidInputError
            A value has no time, or one before that of the value before.
        """
        cdef Column times = None if times_us is None else int64_column(times_us, "times_us")
        cdef FloatReader reader = FloatReader(values)
        cdef double[512] chunk
        cdef Py_ssize_t got, i, index = 0, n_times = 0 if times is None else times.length
        while True:
            got = reader.read(chunk, 512)
            if got == 0:
                return
            for i in range(index, index + got):
                if not self.duration:
                    self.append(chunk[i - index], 0)
                elif i < n_times:
                    self.take(chunk[i - index], times.integers[i])
                else:
                    raise InvalidInputError("times_us", i, f"a time for values[{i}]")
            index += got

    def expire(self, now_us):
        """Let the values go that are older than the duration.

        Parameters
        ----------
        now_us : microseconds, of the clock whose times were pushed.
        """
        cdef int64_t now = read_int64(now_us, "now_us")
        self.drop_before(now)

    cdef void drop_before(self, int64_t now) noexcept:
        if not self.duration or now < INT64_MIN + self.duration:
            return
        while self.tail > self.head and self.entries[self.head].time_us <= now - self.duration:
            self.drop()

    cdef int append(self, double x, int64_t time_us) except -1:
        cdef Totals one = single(x)
        if self.tail == self.capacity:
            self.make_room()
        self.entries[self.tail].value = x
        self.entries[self.tail].time_us = time_us
        self.tail += 1
        merge_totals(&self.newer, &one)
        while self.limit and self.tail - self.head > self.limit:
            self.drop()
        self.drop_before(time_us)
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
        """(count, mean, m2, min, max, first, last) of the window."""
        cdef Totals t = self.totals()
        return t.count, t.mean, t.m2, t.min, t.max, t.first, t.last

    @property
    def count(self):
        """How many values the window holds."""
        return self.tail - self.head

    def values(self):
        """A copy of the values, oldest first."""
        cdef array.array values = array.clone(_FLOATS, self.tail - self.head, zero=False)
        cdef int64_t i
        for i in range(self.head, self.tail):
            values.data.as_doubles[i - self.head] = self.entries[i].value
        return values

    def times_us(self):
        """A copy of their times, 0 where none was given."""
        cdef array.array times = array.clone(_INTEGERS, self.tail - self.head, zero=False)
        cdef int64_t i
        for i in range(self.head, self.tail):
            times.data.as_longlongs[i - self.head] = self.entries[i].time_us
        return times


def rolling_columns(values, size):
    """Count, mean, m2, min and max of the last ``size`` values after each value."""
    cdef SlidingMoments window = SlidingMoments(size=size)
    cdef FloatReader reader = FloatReader(values)
    cdef double[512] chunk
    cdef double[4][512] rolled
    cdef int64_t[512] counts
    cdef Py_ssize_t got, i
    cdef int column
    cdef Totals totals
    count = make_array("q")
    columns = [make_array("d") for _ in range(4)]
    while True:
        got = reader.read(chunk, 512)
        if got == 0:
            return count, *columns
        for i in range(got):
            window.append(chunk[i], 0)
            totals = window.totals()
            counts[i] = totals.count
            rolled[0][i] = totals.mean
            rolled[1][i] = totals.m2
            rolled[2][i] = totals.min
            rolled[3][i] = totals.max
        count.frombytes((<const char *>counts)[:got * sizeof(int64_t)])
        for column in range(4):
            columns[column].frombytes((<const char *>rolled[column])[:got * sizeof(double)])


def sliding_state(SlidingMoments window not None):
    """Values, times, and how many of the values are the older ones."""
    return window.values(), window.times_us(), window.turn - window.head


def restore_sliding(SlidingMoments window not None, state):
    """Make a window what ``sliding_state`` told.

    Raises
    ------
    InvalidInputError
        There is not a time for each value, or there are fewer values than older ones.
    """
    values, times_us, older = checked_state(state, 3)
    cdef array.array numbers = make_array("d", values), times = make_array("q", times_us)
    cdef int64_t i, n = len(numbers), limit = window.limit, duration = window.duration
    if len(times) != n:
        raise InvalidInputError("times_us", f"{len(times)} values", f"{n}")
    cdef int64_t before_turn = read_whole(older, "older", 0, n)
    window.reset()
    window.limit = window.duration = 0
    try:
        for i in range(n):
            window.append(numbers.data.as_doubles[i], times.data.as_longlongs[i])
            if i + 1 == before_turn:
                window.turn_over()
    finally:
        window.limit, window.duration = limit, duration

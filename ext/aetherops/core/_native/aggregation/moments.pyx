# Twin: aetherops/core/_pure/aggregation/moments.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Count, mean, squares about it, extremes and ends of a stream, in one pass.

Values are taken in blocks of 512. A block's mean and squares are found in sixteen partial sums by
the corrected two-pass algorithm; blocks are merged by the formula of Chan, Golub and LeVeque
(1983), which for a block of one value is Welford's step (1962). The block that is filling is kept
as it is, so that any cut of the input gives the same bits.
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.math cimport NAN, INFINITY, isfinite, sqrt
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy

from aetherops.core._native.aggregation.anomalies cimport (
    Candidates, Limits, forget_candidates, note_candidates,
)
from aetherops.core._native.aggregation.floats cimport (
    MAX_EXACT_COUNT, OMIT, PROPAGATE, RAISE, FloatReader, count_until_nan, nan_policy_name,
    read_nan_policy, read_whole,
)
from aetherops.core._native.aggregation.kernels cimport (
    BLOCK, GROUP, block, missing_of_step, selected, two_sum,
)

from aetherops.core.aggregation_input import checked_state, count_refused, nan_refused
from aetherops.errors import InvalidInputError

cdef tuple _NO_VALUES = ()

# Above this many values the interpreter lock is released while they are read.
cdef enum:
    LONG_INPUT = 8192


cdef void merge_totals(Totals *into, const Totals *other) noexcept nogil:
    """Chan, Golub and LeVeque's update, with the mean kept in two doubles."""
    cdef double n_a, n_b, n, delta, share, step, missing, high, low
    if other.count == 0:
        return
    if into.count == 0:
        into[0] = other[0]
        return
    n_a = <double>into.count
    n_b = <double>other.count
    n = n_a + n_b
    two_sum(other.mean, -into.mean, &high, &low)
    low += other.mean_low - into.mean_low
    delta = high + low
    if isfinite(delta):
        share = 1.0 / n
        step = high * (n_b * share)
        missing = missing_of_step(high, low, n_b, n, step) * share
        into.m2 = (into.m2 + other.m2) + delta * (step + missing) * n_a
        two_sum(into.mean, step, &high, &low)
        two_sum(high, low + (into.mean_low + missing), &into.mean, &into.mean_low)
    elif isfinite(into.mean) and isfinite(other.mean):
        # The distance overflows, the mean between them does not.
        into.mean = into.mean * (n_a / n) + other.mean * (n_b / n)
        into.mean_low = 0.0
        into.m2 = INFINITY
    else:
        into.mean = into.mean + other.mean
        into.mean_low = 0.0
        into.m2 = NAN
    if into.mean != into.mean:
        into.mean = NAN
    if into.m2 != into.m2:
        into.m2 = NAN
    # NaN stays: it compares false.
    if other.min < into.min or other.min != other.min:
        into.min = other.min
    if other.max > into.max or other.max != other.max:
        into.max = other.max
    into.count += other.count
    into.last = other.last


cdef void take_all(Totals *into, const double *x, int64_t n, Candidates *candidates) noexcept nogil:
    """Merge n values, the first of which opens a block; whole blocks where candidates are noted.

    Candidates may be NULL.
    """
    cdef block[GROUP] found
    cdef uint8_t[GROUP] marks
    cdef Limits limits = Limits(-INFINITY, INFINITY)
    cdef int64_t start, end = 0
    while end < n:
        start = end
        end = min(start + GROUP * BLOCK, n)
        if candidates != NULL:
            limits = candidates.limits
        selected().block_moments(x + start, end - start, limits.low, limits.high, found, marks)
        merge_blocks(into, x + start, end - start, found)
        if candidates != NULL:
            note_candidates(
                candidates, x + start, end - start, marks, into.count, into.mean, into.m2
            )


cdef void merge_blocks(Totals *into, const double *x, int64_t n, const block *found) noexcept nogil:
    cdef Totals totals
    cdef int64_t count, start = 0
    cdef int b = 0
    while start < n:
        count = min(<int64_t>BLOCK, n - start)
        totals = Totals(
            count, found[b].mean, found[b].mean_low, found[b].m2, found[b].min, found[b].max,
            x[start], x[start + count - 1],
        )
        merge_totals(into, &totals)
        start += count
        b += 1


cdef void take_whole_blocks(MomentsState *state, const double *x, int64_t n) noexcept nogil:
    take_all(&state.folded, x, n, &state.candidates if state.candidates.threshold >= 0.0 else NULL)


cdef void append(MomentsState *state, const double *x, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t room, whole, start = 0
    if state.n_pending and n:
        room = min(BLOCK - state.n_pending, n)
        memcpy(state.pending + state.n_pending, x, room * sizeof(double))
        state.n_pending += room
        start = room
        if state.n_pending < BLOCK:
            return
        take_whole_blocks(state, state.pending, BLOCK)
        state.n_pending = 0
    whole = (n - start) // BLOCK * BLOCK
    take_whole_blocks(state, x + start, whole)
    start += whole
    if n > start:
        memcpy(state.pending, x + start, (n - start) * sizeof(double))
        state.n_pending = n - start


cdef void take_values(MomentsState *state, const double *x, Py_ssize_t n) noexcept nogil:
    """Take values, without NaN where the policy is to omit it."""
    cdef Py_ssize_t i, start = 0, end, kept
    cdef double[512] numbers
    if state.policy != OMIT:
        append(state, x, n)
        return
    while start < n:
        end = min(start + BLOCK, n)
        if not selected().has_nan(x + start, end - start):
            append(state, x + start, end - start)
        else:
            kept = 0
            for i in range(start, end):
                if x[i] == x[i]:
                    numbers[kept] = x[i]
                    kept += 1
            append(state, numbers, kept)
        start = end


cdef Py_ssize_t count_until_full(const MomentsState *state, const double *x,
                                 Py_ssize_t n) noexcept nogil:
    """How many of the values can be taken before one would be counted beyond the bound."""
    cdef int64_t room = MAX_EXACT_COUNT - state.folded.count - state.n_pending
    cdef Py_ssize_t i
    if n <= room:
        return n
    for i in range(n):
        if state.policy == OMIT and x[i] != x[i]:
            continue
        if room == 0:
            return i
        room -= 1
    return n


cdef Totals totals_of(const MomentsState *state) noexcept nogil:
    """Of all values, those of the filling block included."""
    cdef Totals totals = state.folded
    if state.n_pending:
        take_all(&totals, state.pending, state.n_pending, NULL)
    return totals


cdef class BlockMoments:
    """BlockMoments(values=(), *, nan_policy='propagate')\n--\n
    The part of ``Moments`` that has two implementations."""

    def __cinit__(self):
        self.running.candidates.threshold = -1.0

    def __init__(self, values=_NO_VALUES, *, nan_policy="propagate"):
        self.check_free()
        self.running.policy = read_nan_policy(nan_policy)
        self.reset()
        if values is not _NO_VALUES:
            self.push_many(values)

    def __dealloc__(self):
        PyMem_Free(self.running.pending)
        forget_candidates(&self.running.candidates)

    def push(self, double x):
        """Take one value."""
        self.reserve()
        if x != x and self.running.policy != PROPAGATE:
            if self.running.policy == RAISE:
                raise nan_refused("x")
            return
        if self.count_taken() >= MAX_EXACT_COUNT:
            raise count_refused(MAX_EXACT_COUNT + 1)
        self.running.pending[self.running.n_pending] = x
        self.running.n_pending += 1
        if self.running.n_pending == BLOCK:
            take_whole_blocks(&self.running, self.running.pending, BLOCK)
            self.running.n_pending = 0

    def push_many(self, values):
        """Take values from an iterable or a buffer of float64, which is not copied.

        Values before one that is refused have been taken, as in a loop of ``push``.
        """
        cdef FloatReader reader = FloatReader(values)
        cdef double[512] chunk
        cdef Py_ssize_t got, index = 0
        if reader.is_direct:
            self.feed(reader.data, reader.length, 0)
            return
        while True:
            got = reader.read(chunk, BLOCK)
            if got == 0:
                return
            self.feed(chunk, got, index)
            index += got

    cdef int64_t count_taken(self) noexcept:
        return self.running.folded.count + self.running.n_pending

    cdef int check_free(self) except -1:
        if self.in_use:
            raise RuntimeError("another thread is pushing into these moments")
        return 0

    cdef int reserve(self) except -1:
        self.check_free()
        if self.running.pending == NULL:
            self.running.pending = <double *>PyMem_Malloc(BLOCK * sizeof(double))
            if self.running.pending == NULL:
                raise MemoryError
        return 0

    cdef int feed(self, const double *x, Py_ssize_t n, Py_ssize_t index) except -1:
        """Take values, the first of which is values[index] of the caller's."""
        cdef Py_ssize_t accepted = n if self.running.policy != RAISE else count_until_nan(x, n)
        self.reserve()
        cdef Py_ssize_t counted = count_until_full(&self.running, x, accepted)
        if n < LONG_INPUT:
            take_values(&self.running, x, counted)
        else:
            self.in_use = True
            with nogil:
                take_values(&self.running, x, counted)
            self.in_use = False
        if counted < accepted:
            raise count_refused(MAX_EXACT_COUNT + 1)
        if accepted < n:
            raise nan_refused(f"values[{index + accepted}]")
        return 0

    cdef Totals totals(self) except *:
        self.check_free()
        return totals_of(&self.running)

    def merge(self, other):
        """Take what another has seen, as if it had come after; the filling blocks are closed.

        Raises
        ------
        InvalidInputError
            Both together are more than 2**53 values.
        """
        if not isinstance(other, BlockMoments):
            raise TypeError(f"other: expected Moments, got {type(other).__name__}")
        cdef Totals totals = self.totals()
        cdef Totals others = (<BlockMoments>other).totals()
        if totals.count + others.count > MAX_EXACT_COUNT:
            raise count_refused(totals.count + others.count)
        self.reserve()
        merge_totals(&totals, &others)
        self.running.folded = totals
        self.running.n_pending = 0
        self.running.candidates.lost = True

    def reset(self):
        """Forget every value."""
        self.check_free()
        self.running.folded = Totals(0, NAN, 0.0, 0.0, NAN, NAN, NAN, NAN)
        self.running.n_pending = 0
        forget_candidates(&self.running.candidates)

    @property
    def nan_policy(self):
        """What a NaN does: ``propagate``, ``omit`` or ``raise``."""
        return nan_policy_name(self.running.policy)

    @property
    def count(self):
        """How many values were taken."""
        return self.count_taken()

    @property
    def mean(self):
        """The mean; NaN of no values."""
        return self.totals().mean

    @property
    def m2(self):
        """The squares of the distances from the mean, summed; 0.0 of no values."""
        return self.totals().m2

    @property
    def min(self):
        """The smallest value; NaN of no values."""
        return self.totals().min

    @property
    def max(self):
        """The largest value; NaN of no values."""
        return self.totals().max

    @property
    def first(self):
        """The value taken first; NaN of no values."""
        if self.running.folded.count or not self.running.n_pending:
            return self.running.folded.first
        return self.running.pending[0]

    @property
    def last(self):
        """The value taken last; NaN of no values."""
        if self.running.n_pending:
            return self.running.pending[self.running.n_pending - 1]
        return self.running.folded.last

    def variance(self, ddof=1):
        """``m2 / (count - ddof)``; NaN where that divisor is not positive.

        Raises
        ------
        InvalidInputError
            ``ddof`` is negative.
        """
        cdef Totals totals = self.totals()
        cdef int64_t subtracted = read_whole(ddof, "ddof", 0)
        if totals.count <= subtracted:
            return NAN
        return totals.m2 / <double>(totals.count - subtracted)

    def std(self, ddof=1):
        """The root of the variance."""
        return sqrt(self.variance(ddof))

    def summary(self):
        """(count, mean, m2, min, max, first, last): what a store keeps of a chunk."""
        cdef Totals t = self.totals()
        return t.count, t.mean, t.m2, t.min, t.max, t.first, t.last


def finish_moments(BlockMoments moments not None):
    """The summary. The filling block is closed, and its room given back."""
    moments.running.folded = moments.totals()
    moments.running.n_pending = 0
    PyMem_Free(moments.running.pending)
    moments.running.pending = NULL
    return moments.summary()


def moments_state(BlockMoments moments not None):
    """The totals of the whole blocks, then the values of the filling one, as float64."""
    moments.check_free()
    cdef Totals t = moments.running.folded
    filling = (<char *>moments.running.pending)[:moments.running.n_pending * sizeof(double)]
    return t.count, t.mean, t.mean_low, t.m2, t.min, t.max, t.first, t.last, filling


def restore_moments(BlockMoments moments not None, state):
    """Make moments what ``moments_state`` told.

    Raises
    ------
    InvalidInputError
        The count or m2 is negative, or the filling block is no bytes of fewer than 512 float64.
    """
    cdef double mean, mean_low, m2, low, high, first, last
    cdef Py_ssize_t size
    count, mean, mean_low, m2, low, high, first, last, filling = checked_state(state, 9)
    cdef int64_t taken = read_whole(count, "count", 0)
    if m2 < 0.0:
        raise InvalidInputError("m2", m2, "0 or more")
    size = len(filling) if isinstance(filling, bytes) else -1
    if size % <Py_ssize_t>sizeof(double) or not 0 <= size < <Py_ssize_t>(BLOCK * sizeof(double)):
        raise InvalidInputError("filling", filling, "whole float64 values, fewer than 512")
    moments.reserve()
    moments.running.folded = Totals(taken, mean, mean_low, m2, low, high, first, last)
    memcpy(moments.running.pending, <char *><bytes>filling, size)
    moments.running.n_pending = size // sizeof(double)
    moments.running.candidates.lost = True

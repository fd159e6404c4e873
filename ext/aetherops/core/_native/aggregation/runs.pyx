# Twin: aetherops/core/_pure/aggregation/runs.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Runs of any length, as time-aware buckets make them: found, reduced, merged.

Run i holds the values offsets[i] to offsets[i + 1] of its column; it may be empty. The mean and the
squares of a run are those of ``Moments`` over its values.
"""

from cpython cimport array
from libc.math cimport NAN
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from array import array as make_array

from aetherops.core._native.aggregation.kernels cimport median_of, selected
from aetherops.core._native.aggregation.moments cimport Totals, merge_totals, take_all

from aetherops.errors import InvalidInputError, LimitExceededError

cdef array.array _FLOATS = make_array("d")
cdef array.array _INTEGERS = make_array("q")

cdef Totals _NOTHING = Totals(0, NAN, 0.0, NAN, NAN, NAN, NAN, NAN)


cdef inline int64_t floor_divide(int64_t a, int64_t b) noexcept nogil:
    """Of b > 0; C alone would round towards zero."""
    return a // b - (a % b < 0)


cdef int64_t first_at_least(const int64_t *times, int64_t low, int64_t high, int64_t bound,
                            int64_t guess) noexcept nogil:
    """The first index in [low, high] whose time reaches the bound; regular series are guessed."""
    cdef int64_t middle
    if low < guess < high:
        if times[guess - 1] >= bound:
            high = guess - 1
        elif times[guess] >= bound:
            return guess
        else:
            low = guess + 1
    while low < high:
        middle = low + (high - low) // 2
        if times[middle] < bound:
            low = middle + 1
        else:
            high = middle
    return low


cdef int check_times(const int64_t[::1] times) except -1:
    cdef int64_t i, backward = 0
    for i in range(1, len(times)):
        backward += times[i] < times[i - 1]
    for i in range(1, len(times) if backward else 0):
        if times[i] < times[i - 1]:
            raise InvalidInputError(
                f"times_us[{i}]", times[i], f"no time before {times[i - 1]}, its predecessor"
            )
    return 0


def time_runs(const int64_t[::1] times, int64_t width_us, int64_t origin_us,
              int64_t start_us, int64_t end_us, bint with_empty, int64_t limit):
    cdef int64_t low, high, bucket, last, bound, next_low, n_runs
    cdef int64_t n = len(times)
    cdef const int64_t *t = &times[0] if n else NULL
    cdef array.array starts = make_array("q")
    cdef array.array offsets = make_array("q")
    check_times(times)
    low = first_at_least(t, 0, n, start_us, -1)
    high = first_at_least(t, low, n, end_us, -1)
    offsets.append(low)
    if with_empty:
        if start_us >= end_us:
            return starts, offsets
        bucket = floor_divide(start_us - origin_us, width_us)
        n_runs = floor_divide(end_us - 1 - origin_us, width_us) - bucket + 1
        if n_runs > limit:
            raise LimitExceededError("time buckets", limit, n_runs)
        array.resize(starts, n_runs)
        array.resize(offsets, n_runs + 1)
        last = low
        for i in range(n_runs):
            bound = origin_us + (bucket + 1) * width_us
            next_low = first_at_least(t, low, high, bound, low + (low - last))
            starts.data.as_longlongs[i] = origin_us + bucket * width_us
            offsets.data.as_longlongs[i + 1] = next_low
            last, low = low, next_low
            bucket += 1
        return starts, offsets
    last = low
    while low < high:
        bucket = floor_divide(t[low] - origin_us, width_us)
        bound = origin_us + (bucket + 1) * width_us
        next_low = first_at_least(t, low, high, bound, low + (low - last))
        if len(starts) == limit:
            raise LimitExceededError("time buckets", limit, limit + 1)
        starts.append(origin_us + bucket * width_us)
        offsets.append(next_low)
        last, low = low, next_low
    return starts, offsets


def without_nan(const double[::1] values, const int64_t[::1] offsets):
    cdef array.array kept = array.clone(_FLOATS, len(values), zero=False)
    cdef array.array kept_offsets = array.clone(_INTEGERS, len(offsets), zero=False)
    cdef double *out = kept.data.as_doubles
    cdef int64_t run, i, n = 0
    kept_offsets.data.as_longlongs[0] = 0
    for run in range(len(offsets) - 1):
        for i in range(offsets[run], offsets[run + 1]):
            out[n] = values[i]
            n += values[i] == values[i]
        kept_offsets.data.as_longlongs[run + 1] = n
    array.resize(kept, n)
    return kept, kept_offsets


cdef int64_t check_offsets(const int64_t[::1] offsets, Py_ssize_t n) except -1:
    """The length of the longest run."""
    cdef int64_t i, longest = 0
    if len(offsets) == 0 or offsets[0] < 0 or offsets[len(offsets) - 1] > n:
        raise InvalidInputError("offsets", list(offsets), f"indices from 0 to {n}")
    for i in range(1, len(offsets)):
        if offsets[i] < offsets[i - 1]:
            raise InvalidInputError(f"offsets[{i}]", offsets[i], f"{offsets[i - 1]} or more")
        longest = max(longest, offsets[i] - offsets[i - 1])
    return longest


cdef class Columns:
    """Seven columns of summaries, written row by row."""

    cdef array.array count, mean, m2, low, high, first, last

    def __init__(self, Py_ssize_t n):
        self.count = array.clone(_INTEGERS, n, zero=False)
        self.mean = array.clone(_FLOATS, n, zero=False)
        self.m2 = array.clone(_FLOATS, n, zero=False)
        self.low = array.clone(_FLOATS, n, zero=False)
        self.high = array.clone(_FLOATS, n, zero=False)
        self.first = array.clone(_FLOATS, n, zero=False)
        self.last = array.clone(_FLOATS, n, zero=False)

    cdef void write(self, int64_t row, const Totals *totals) noexcept:
        self.count.data.as_longlongs[row] = totals.count
        self.mean.data.as_doubles[row] = totals.mean
        self.m2.data.as_doubles[row] = totals.m2
        self.low.data.as_doubles[row] = totals.min
        self.high.data.as_doubles[row] = totals.max
        self.first.data.as_doubles[row] = totals.first
        self.last.data.as_doubles[row] = totals.last

    cdef tuple written(self):
        return self.count, self.mean, self.m2, self.low, self.high, self.first, self.last


def summarize_runs(const double[::1] values, const int64_t[::1] offsets):
    cdef int64_t run, n_runs = len(offsets) - 1
    cdef Totals totals
    check_offsets(offsets, len(values))
    cdef Columns columns = Columns(n_runs)
    for run in range(n_runs):
        totals = _NOTHING
        if offsets[run + 1] > offsets[run]:
            take_all(&totals, &values[offsets[run]], offsets[run + 1] - offsets[run], NULL)
        columns.write(run, &totals)
    return columns.written()


def median_runs(const double[::1] values, const int64_t[::1] offsets):
    cdef int64_t run, n, n_runs = len(offsets) - 1
    cdef array.array scratch = array.clone(_FLOATS, check_offsets(offsets, len(values)), zero=False)
    cdef array.array medians = array.clone(_FLOATS, n_runs, zero=False)
    for run in range(n_runs):
        n = offsets[run + 1] - offsets[run]
        medians.data.as_doubles[run] = NAN
        if n and not selected().has_nan(&values[offsets[run]], n):
            memcpy(scratch.data.as_doubles, &values[offsets[run]], n * sizeof(double))
            medians.data.as_doubles[run] = median_of(scratch.data.as_doubles, n)
    return medians


def merge_runs(const int64_t[::1] count, const double[::1] mean, const double[::1] m2,
               const double[::1] low, const double[::1] high, const double[::1] first,
               const double[::1] last, const int64_t[::1] offsets):
    cdef int64_t run, row, n_runs = len(offsets) - 1
    cdef Totals totals, part
    check_offsets(offsets, len(count))
    if not len(count) == len(mean) == len(m2) == len(low) == len(high) == len(first) == len(last):
        raise InvalidInputError("columns", len(count), "seven columns of one length")
    cdef Columns columns = Columns(n_runs)
    for run in range(n_runs):
        totals = _NOTHING
        for row in range(offsets[run], offsets[run + 1]):
            part = Totals(count[row], mean[row], 0.0, m2[row], low[row], high[row], first[row],
                          last[row])
            merge_totals(&totals, &part)
        columns.write(run, &totals)
    return columns.written()

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

from aetherops.core._native.aggregation.floats cimport (
    MAX_EXACT_COUNT, Column, float64_column, int64_column, read_whole,
)
from aetherops.core._native.aggregation.kernels cimport median_of, selected
from aetherops.core._native.aggregation.moments cimport Totals, merge_totals, take_all

from aetherops.core.aggregation_input import (
    check_lengths, check_offset_count, checked_time_range, offset_refused, row_count_refused,
)
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


cdef int check_times(const int64_t *times, int64_t n) except -1:
    cdef int64_t i, backward = 0
    for i in range(1, n):
        backward += times[i] < times[i - 1]
    for i in range(1, n if backward else 0):
        if times[i] < times[i - 1]:
            raise InvalidInputError(
                f"times_us[{i}]", times[i], f"no time before {times[i - 1]}, its predecessor"
            )
    return 0


def time_runs(times_us, width_us, origin_us, start_us, end_us, bint with_empty, limit):
    """Runs of the times in [start_us, end_us) that fall into the same bucket.

    Parameters
    ----------
    times_us : shape (n,), int64, ascending: microseconds since 1970, within 2**61 of it.
    width_us, origin_us : bucket k covers ``[origin_us + k*width_us, origin_us + (k+1)*width_us)``.
    with_empty : whether buckets without a time become empty runs, or are left out.
    limit : the most buckets that may be needed.

    Returns
    -------
    The starts of the buckets, and one offset more than there are runs.

    Raises
    ------
    InvalidInputError
        Times run backwards, or an argument is out of range.
    LimitExceededError
        More than ``limit`` buckets would be needed.
    """
    cdef Column times = int64_column(times_us, "times_us")
    cdef const int64_t *t = times.integers
    cdef int64_t n = times.length
    check_times(t, n)
    ends = (t[0], t[n - 1]) if n else ()
    cdef int64_t width, origin, start, end, most = read_whole(limit, "limit", 0)
    width, origin, start, end = checked_time_range(
        ends, n, width_us, origin_us, start_us, end_us
    )
    if with_empty:
        return runs_with_empty(t, n, width, origin, start, end, most)
    return runs_of_times(t, n, width, origin, start, end, most)


cdef tuple runs_with_empty(const int64_t *t, int64_t n, int64_t width, int64_t origin,
                           int64_t start, int64_t end, int64_t limit):
    cdef int64_t low = first_at_least(t, 0, n, start, -1)
    cdef int64_t high = first_at_least(t, low, n, end, -1)
    cdef int64_t bucket, last, next_low, i, n_runs
    cdef array.array starts = make_array("q")
    cdef array.array offsets = make_array("q", [low])
    if start >= end:
        return starts, offsets
    bucket = floor_divide(start - origin, width)
    n_runs = floor_divide(end - 1 - origin, width) - bucket + 1
    if n_runs > limit:
        raise LimitExceededError("time buckets", limit, n_runs)
    array.resize(starts, n_runs)
    array.resize(offsets, n_runs + 1)
    last = low
    for i in range(n_runs):
        next_low = first_at_least(
            t, low, high, origin + (bucket + 1) * width, low + (low - last)
        )
        starts.data.as_longlongs[i] = origin + bucket * width
        offsets.data.as_longlongs[i + 1] = next_low
        last, low = low, next_low
        bucket += 1
    return starts, offsets


cdef tuple runs_of_times(const int64_t *t, int64_t n, int64_t width, int64_t origin,
                         int64_t start, int64_t end, int64_t limit):
    cdef int64_t low = first_at_least(t, 0, n, start, -1)
    cdef int64_t high = first_at_least(t, low, n, end, -1)
    cdef int64_t bucket, next_low, last = low
    cdef array.array starts = make_array("q")
    cdef array.array offsets = make_array("q", [low])
    while low < high:
        bucket = floor_divide(t[low] - origin, width)
        next_low = first_at_least(
            t, low, high, origin + (bucket + 1) * width, low + (low - last)
        )
        if len(starts) == limit:
            raise LimitExceededError("time buckets", limit, limit + 1)
        starts.append(origin + bucket * width)
        offsets.append(next_low)
        last, low = low, next_low
    return starts, offsets


cdef Column checked_offsets(object offsets, int64_t n):
    """A copy of ascending indices from 0 to n, one or more."""
    cdef Column column = int64_column(offsets, "offsets", copied=True)
    cdef int64_t i, before = 0
    check_offset_count(column.length)
    for i in range(column.length):
        if not before <= column.integers[i] <= n:
            raise offset_refused(i, column.integers[i], before, n)
        before = column.integers[i]
    return column


def without_nan(values, offsets):
    """The runs without their NaN: what is left of the values, and its offsets.

    Raises
    ------
    InvalidInputError
        The offsets do not ascend inside the values.
    """
    cdef Column column = float64_column(values, "values")
    cdef Column bounds = checked_offsets(offsets, column.length)
    cdef int64_t run, i, n = 0, n_runs = bounds.length - 1
    cdef array.array kept = array.clone(_FLOATS, column.length, zero=False)
    cdef array.array kept_offsets = array.clone(_INTEGERS, n_runs + 1, zero=False)
    cdef double *out = kept.data.as_doubles
    cdef double value
    kept_offsets.data.as_longlongs[0] = 0
    for run in range(n_runs):
        for i in range(bounds.integers[run], bounds.integers[run + 1]):
            value = column.floats[i]
            out[n] = value
            n += value == value
        kept_offsets.data.as_longlongs[run + 1] = n
    array.resize(kept, n)
    return kept, kept_offsets


cdef class Columns:
    """Seven columns of summaries, written row by row."""

    cdef array.array count, mean, m2, min, max, first, last

    def __init__(self, Py_ssize_t n):
        self.count = array.clone(_INTEGERS, n, zero=False)
        self.mean = array.clone(_FLOATS, n, zero=False)
        self.m2 = array.clone(_FLOATS, n, zero=False)
        self.min = array.clone(_FLOATS, n, zero=False)
        self.max = array.clone(_FLOATS, n, zero=False)
        self.first = array.clone(_FLOATS, n, zero=False)
        self.last = array.clone(_FLOATS, n, zero=False)

    cdef void write(self, int64_t row, const Totals *totals) noexcept:
        self.count.data.as_longlongs[row] = totals.count
        self.mean.data.as_doubles[row] = totals.mean
        self.m2.data.as_doubles[row] = totals.m2
        self.min.data.as_doubles[row] = totals.min
        self.max.data.as_doubles[row] = totals.max
        self.first.data.as_doubles[row] = totals.first
        self.last.data.as_doubles[row] = totals.last

    cdef tuple written(self):
        return self.count, self.mean, self.m2, self.min, self.max, self.first, self.last


def summarize_runs(values, offsets):
    """Columns count, mean, m2, min, max, first, last: a row a run, NaN where it is empty.

    Raises
    ------
    InvalidInputError
        The offsets do not ascend inside the values.
    """
    cdef Column column = float64_column(values, "values")
    cdef Column bounds = checked_offsets(offsets, column.length)
    cdef int64_t run, start, n, n_runs = bounds.length - 1
    cdef Totals totals
    cdef Columns columns = Columns(n_runs)
    for run in range(n_runs):
        totals = _NOTHING
        start = bounds.integers[run]
        n = bounds.integers[run + 1] - start
        if n:
            take_all(&totals, column.floats + start, n, NULL)
        columns.write(run, &totals)
    return columns.written()


def median_runs(values, offsets):
    """The median of each run; NaN where it is empty or holds NaN.

    Raises
    ------
    InvalidInputError
        The offsets do not ascend inside the values.
    """
    cdef Column column = float64_column(values, "values")
    cdef Column bounds = checked_offsets(offsets, column.length)
    cdef int64_t run, start, n, longest = 0, n_runs = bounds.length - 1
    for run in range(n_runs):
        longest = max(longest, bounds.integers[run + 1] - bounds.integers[run])
    cdef array.array scratch = array.clone(_FLOATS, longest, zero=False)
    cdef array.array medians = array.clone(_FLOATS, n_runs, zero=False)
    for run in range(n_runs):
        start = bounds.integers[run]
        n = bounds.integers[run + 1] - start
        medians.data.as_doubles[run] = NAN
        if n and not selected().has_nan(column.floats + start, n):
            memcpy(scratch.data.as_doubles, column.floats + start, n * sizeof(double))
            medians.data.as_doubles[run] = median_of(scratch.data.as_doubles, n)
    return medians


def merge_runs(count, mean, m2, min, max, first, last, offsets):
    """Merge the rows of each run of summaries, in order, to one.

    Parameters
    ----------
    count : shape (n,), int64.
    mean, m2, min, max, first, last : shape (n,), float64.
    offsets : run i holds the rows ``offsets[i]`` to ``offsets[i + 1]``.

    Returns
    -------
    The seven columns, a row a run.

    Raises
    ------
    InvalidInputError
        The columns differ in length, the offsets do not ascend inside them, a count is negative,
        or a run has more than 2**53 values.
    """
    cdef Column counts = int64_column(count, "count")
    cdef Column means = float64_column(mean, "mean")
    cdef Column squares = float64_column(m2, "m2")
    cdef Column lowest = float64_column(min, "min")
    cdef Column highest = float64_column(max, "max")
    cdef Column firsts = float64_column(first, "first")
    cdef Column lasts = float64_column(last, "last")
    if not (counts.length == means.length == squares.length == lowest.length
            == highest.length == firsts.length == lasts.length):
        check_lengths(
            counts.length, mean=means.length, m2=squares.length, min=lowest.length,
            max=highest.length, first=firsts.length, last=lasts.length,
        )
    cdef Column bounds = checked_offsets(offsets, counts.length)
    cdef int64_t run, row, n_runs = bounds.length - 1
    cdef Totals totals, part
    cdef Columns columns = Columns(n_runs)
    for run in range(n_runs):
        totals = _NOTHING
        for row in range(bounds.integers[run], bounds.integers[run + 1]):
            if not 0 <= counts.integers[row] <= MAX_EXACT_COUNT - totals.count:
                raise row_count_refused(row, counts.integers[row])
            part = Totals(
                counts.integers[row], means.floats[row], 0.0, squares.floats[row],
                lowest.floats[row], highest.floats[row], firsts.floats[row], lasts.floats[row],
            )
            merge_totals(&totals, &part)
        columns.write(run, &totals)
    return columns.written()

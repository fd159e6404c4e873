# Twin: aetherops/core/_pure/aggregation/anomalies.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Which values lie too far from a mean: ``abs(x - mean) / std > threshold``.

The z-score is monotone on each side of the mean, so the two last quiet doubles are searched for
once and each value is then compared with them; the answer is that of the formula for every double.
"""

from cpython cimport array
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from libc.math cimport INFINITY, isfinite, sqrt
from libc.stdint cimport uint64_t
from libc.string cimport memcpy

from array import array as make_array

from aetherops.core._native.aggregation.floats cimport FloatReader
from aetherops.core._native.aggregation.kernels cimport STRIP, anomaly_cutoff, is_anomalous, selected

cdef extern from *:
    int trailing_zeros "__builtin_ctzll"(uint64_t word) noexcept nogil

cdef enum:
    RUN = 1024
    ROOM = 2048


cdef Judge new_judge(double mean, double std, double threshold, bint inclusive) noexcept nogil:
    cdef Judge judge
    judge.mean = mean
    judge.std = std
    judge.threshold = threshold
    judge.inclusive = inclusive
    judge.by_cutoffs = (
        isfinite(mean) and std > 0.0 and std < INFINITY and threshold >= 0.0
        and not is_anomalous(mean, mean, std, threshold, inclusive)
    )
    judge.low = judge.high = mean
    if judge.by_cutoffs:
        judge.low = anomaly_cutoff(mean, std, threshold, inclusive, -1)
        judge.high = anomaly_cutoff(mean, std, threshold, inclusive, 1)
    return judge


cdef int64_t judge_run(const Judge *judge, const double *x, int64_t n, int64_t base,
                         int64_t *indices) noexcept nogil:
    cdef int64_t i, found = 0
    if judge.by_cutoffs:
        return selected().find_outside(x, n, judge.low, judge.high, base, indices)
    for i in range(n):
        if is_anomalous(x[i], judge.mean, judge.std, judge.threshold, judge.inclusive):
            indices[found] = base + i
            found += 1
    return found


cdef int append_indices(array.array indices, const int64_t *fresh, Py_ssize_t n) except -1:
    cdef Py_ssize_t n_before = len(indices)
    if n:
        array.resize(indices, n_before + n)
        memcpy(indices.data.as_longlongs + n_before, fresh, n * sizeof(int64_t))
    return 0


cdef int judge_all(const Judge *judge, const double *x, int64_t n, int64_t base,
                   array.array indices) except -1:
    """Append the indices, counted from base, of the anomalous values."""
    cdef int64_t[ROOM] fresh
    cdef int64_t start = 0, found, count
    while start < n:
        found = 0
        with nogil:
            while start < n and found <= ROOM - RUN:
                count = min(<int64_t>RUN, n - start)
                found += judge_run(judge, x + start, count, base + start, fresh + found)
                start += count
        append_indices(indices, fresh, found)
    return 0


cdef void forget_suspects(Suspects *suspects) noexcept nogil:
    PyMem_RawFree(suspects.words)
    suspects.words = NULL
    suspects.n_passed = suspects.capacity = 0
    suspects.limits = suspects.widest = Limits(INFINITY, -INFINITY)
    suspects.lost = False


cdef void suspect(Suspects *suspects, const double *x, int64_t n, const uint8_t *marks,
                  int64_t count, double mean, double m2) noexcept nogil:
    """Let whole blocks pass, whose strips beyond the limits are marked, up to these moments."""
    cdef Limits used = suspects.limits
    cdef int64_t strip, first = suspects.n_passed // STRIP
    cdef double reach = suspects.threshold * sqrt(m2 / <double>count) * 0.9375
    suspects.n_passed += n
    suspects.limits = Limits(mean - reach, mean + reach)
    if not isfinite(mean) or not isfinite(reach) or not has_room(suspects):
        suspects.lost = True
    if suspects.lost:
        return
    if used.low > used.high:
        used = suspects.limits
    suspects.widest.low = min(suspects.widest.low, used.low)
    suspects.widest.high = max(suspects.widest.high, used.high)
    for strip in range(n // STRIP):
        suspects.words[first + strip] = 0
        if marks[strip // 8] >> strip % 8 & 1:
            suspects.words[first + strip] = selected().outside(
                x + strip * STRIP, used.low, used.high
            )


cdef bint has_room(Suspects *suspects) noexcept nogil:
    cdef int64_t needed = suspects.n_passed // STRIP
    cdef uint64_t *wider
    if needed > suspects.capacity:
        needed += needed // 4
        wider = <uint64_t *>PyMem_RawRealloc(suspects.words, needed * sizeof(uint64_t))
        if wider == NULL:
            return False
        suspects.words = wider
        suspects.capacity = needed
    return True


cdef bint suffice(const Suspects *suspects, const Judge *judge) noexcept nogil:
    """Whether every value that passed and can be convicted was suspected."""
    return (
        not suspects.lost and judge.by_cutoffs
        and judge.low <= suspects.widest.low and suspects.widest.high <= judge.high
    )


cdef int convict(const Suspects *suspects, const Judge *judge, FloatReader reader,
                 array.array indices) except -1:
    """Append the indices of the suspects that lie beyond the cut-offs."""
    cdef int64_t[ROOM] group
    cdef double[ROOM] values
    cdef int64_t at, n_words = suspects.n_passed // STRIP, n = 0
    cdef uint64_t word
    for at in range(n_words):
        word = suspects.words[at]
        while word:
            group[n] = at * STRIP + trailing_zeros(word)
            n += 1
            word &= word - 1
        if n > ROOM - STRIP or at == n_words - 1:
            reader.read_some(group, n, values)
            append_indices(indices, group, beyond_cutoffs(judge, group, values, n))
            n = 0
    return 0


cdef int64_t beyond_cutoffs(const Judge *judge, int64_t *group, const double *values,
                            int64_t n) noexcept nogil:
    """Keep the indices of the values that lie beyond the cut-offs, at the front; how many."""
    cdef int64_t i, found = 0
    for i in range(n):
        group[found] = group[i]
        found += values[i] < judge.low or values[i] > judge.high
    return found


def find_anomalies(values, double mean, double std, double threshold, *, bint inclusive=False):
    cdef FloatReader reader = FloatReader(values)
    cdef Judge judge = new_judge(mean, std, threshold, inclusive)
    cdef array.array indices = make_array("q")
    cdef double[RUN] run
    cdef Py_ssize_t got, base = 0
    if reader.is_direct:
        judge_all(&judge, reader.data, reader.length, 0, indices)
        return indices
    while True:
        got = reader.read(run, RUN)
        if got == 0:
            return indices
        judge_all(&judge, run, got, base, indices)
        base += got

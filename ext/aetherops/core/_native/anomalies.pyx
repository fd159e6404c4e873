# Twin: aetherops/core/_pure/anomalies.py. Same answers: change both or neither.
"""Which values lie too far from a mean: ``abs(x - mean) / std > threshold``.

The z-score is monotone on each side of the mean, so the two last quiet doubles are searched for
once and each value is then compared with them; the answer is that of the formula for every double.
"""

from cpython cimport array
from libc.math cimport INFINITY, isfinite
from libc.string cimport memcpy

from array import array as make_array

from aetherops.core._native.floats cimport FloatReader
from aetherops.core._native.kernels cimport anomaly_cutoff, is_anomalous, selected

cdef enum:
    STRIP = 1024
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


cdef int64_t judge_strip(const Judge *judge, const double *x, int64_t n, int64_t base,
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
            while start < n and found <= ROOM - STRIP:
                count = min(<int64_t>STRIP, n - start)
                found += judge_strip(judge, x + start, count, base + start, fresh + found)
                start += count
        append_indices(indices, fresh, found)
    return 0


def find_anomalies(values, double mean, double std, double threshold, *, bint inclusive=False):
    cdef FloatReader reader = FloatReader(values)
    cdef Judge judge = new_judge(mean, std, threshold, inclusive)
    cdef array.array indices = make_array("q")
    cdef double[STRIP] strip
    cdef Py_ssize_t got, base = 0
    if reader.is_direct:
        judge_all(&judge, reader.data, reader.length, 0, indices)
        return indices
    while True:
        got = reader.read(strip, STRIP)
        if got == 0:
            return indices
        judge_all(&judge, strip, got, base, indices)
        base += got

# Twin: aetherops/core/_pure/aggregation/anomalies.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Which values lie too far from a mean: ``abs(x - mean) / std > threshold``.

The z-score is monotone on each side of the mean, so the last double that is no anomaly is searched
for once on each side and each value is then compared with the two; the answer is that of the
formula for every double.
"""

from cpython cimport array
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from libc.math cimport INFINITY, isfinite, sqrt
from libc.stdint cimport uint64_t
from libc.string cimport memcpy

from array import array as make_array

from aetherops.core._native.aggregation.floats cimport FloatReader
from aetherops.core._native.aggregation.kernels cimport (
    WORD, anomaly_cutoff, is_anomalous, selected,
)

cdef extern from *:
    int trailing_zeros "__builtin_ctzll"(uint64_t word) noexcept nogil

cdef enum:
    RUN = 1024
    ROOM = 2048


cdef Criterion new_criterion(double mean, double std, double threshold,
                             bint inclusive) noexcept nogil:
    cdef Criterion criterion
    criterion.mean = mean
    criterion.std = std
    criterion.threshold = threshold
    criterion.inclusive = inclusive
    criterion.by_cutoffs = (
        isfinite(mean) and std > 0.0 and std < INFINITY and threshold >= 0.0
        and not is_anomalous(mean, mean, std, threshold, inclusive)
    )
    criterion.low = criterion.high = mean
    if criterion.by_cutoffs:
        criterion.low = anomaly_cutoff(mean, std, threshold, inclusive, -1)
        criterion.high = anomaly_cutoff(mean, std, threshold, inclusive, 1)
    return criterion


cdef int64_t find_in_run(const Criterion *criterion, const double *x, int64_t n, int64_t base,
                         int64_t *indices) noexcept nogil:
    cdef int64_t i, found = 0
    if criterion.by_cutoffs:
        return selected().find_outside(x, n, criterion.low, criterion.high, base, indices)
    for i in range(n):
        if is_anomalous(
            x[i], criterion.mean, criterion.std, criterion.threshold, criterion.inclusive
        ):
            indices[found] = base + i
            found += 1
    return found


cdef int append_indices(array.array indices, const int64_t *fresh, Py_ssize_t n) except -1:
    cdef Py_ssize_t n_before = len(indices)
    if n:
        array.resize(indices, n_before + n)
        memcpy(indices.data.as_longlongs + n_before, fresh, n * sizeof(int64_t))
    return 0


cdef int find_all(const Criterion *criterion, const double *x, int64_t n, int64_t base,
                  array.array indices) except -1:
    """Append the indices, counted from base, of the anomalous values."""
    cdef int64_t[ROOM] fresh
    cdef int64_t start = 0, found, count
    while start < n:
        found = 0
        with nogil:
            while start < n and found <= ROOM - RUN:
                count = min(<int64_t>RUN, n - start)
                found += find_in_run(criterion, x + start, count, base + start, fresh + found)
                start += count
        append_indices(indices, fresh, found)
    return 0


cdef void forget_candidates(Candidates *candidates) noexcept nogil:
    PyMem_RawFree(candidates.words)
    candidates.words = NULL
    candidates.n_passed = candidates.capacity = 0
    candidates.limits = candidates.widest = Limits(INFINITY, -INFINITY)
    candidates.lost = False


cdef void note_candidates(Candidates *candidates, const double *x, int64_t n,
                          const uint8_t *marks, int64_t count, double mean,
                          double m2) noexcept nogil:
    """Note which values of whole blocks lie beyond the limits; set new limits by these moments.

    Runs of 64 values without such a value are not marked.
    """
    cdef Limits used = candidates.limits
    cdef int64_t word, first = candidates.n_passed // WORD
    cdef double reach = candidates.threshold * sqrt(m2 / <double>count) * 0.9375
    candidates.n_passed += n
    candidates.limits = Limits(mean - reach, mean + reach)
    if not isfinite(mean) or not isfinite(reach) or not has_room(candidates):
        candidates.lost = True
    if candidates.lost:
        return
    if used.low > used.high:
        used = candidates.limits
    candidates.widest.low = min(candidates.widest.low, used.low)
    candidates.widest.high = max(candidates.widest.high, used.high)
    for word in range(n // WORD):
        candidates.words[first + word] = 0
        if marks[word // 8] >> word % 8 & 1:
            candidates.words[first + word] = selected().outside(
                x + word * WORD, used.low, used.high
            )


cdef bint has_room(Candidates *candidates) noexcept nogil:
    cdef int64_t needed = candidates.n_passed // WORD
    cdef uint64_t *wider
    if needed > candidates.capacity:
        needed += needed // 4
        wider = <uint64_t *>PyMem_RawRealloc(candidates.words, needed * sizeof(uint64_t))
        if wider == NULL:
            return False
        candidates.words = wider
        candidates.capacity = needed
    return True


cdef bint candidates_suffice(const Candidates *candidates,
                             const Criterion *criterion) noexcept nogil:
    """Whether every value that passed and can be an anomaly was noted as a candidate."""
    return (
        not candidates.lost and criterion.by_cutoffs
        and criterion.low <= candidates.widest.low and candidates.widest.high <= criterion.high
    )


cdef int confirm_candidates(const Candidates *candidates, const Criterion *criterion,
                            FloatReader reader, array.array indices) except -1:
    """Append the indices of the candidates that lie beyond the cut-offs."""
    cdef int64_t[ROOM] group
    cdef double[ROOM] values
    cdef int64_t at, n_words = candidates.n_passed // WORD, n = 0
    cdef uint64_t word
    for at in range(n_words):
        word = candidates.words[at]
        while word:
            group[n] = at * WORD + trailing_zeros(word)
            n += 1
            word &= word - 1
        if n > ROOM - WORD or at == n_words - 1:
            reader.read_some(group, n, values)
            append_indices(indices, group, beyond_cutoffs(criterion, group, values, n))
            n = 0
    return 0


cdef int64_t beyond_cutoffs(const Criterion *criterion, int64_t *group, const double *values,
                            int64_t n) noexcept nogil:
    """Keep the indices of the values that lie beyond the cut-offs, at the front; how many."""
    cdef int64_t i, found = 0
    for i in range(n):
        group[found] = group[i]
        found += values[i] < criterion.low or values[i] > criterion.high
    return found


def find_anomalies(values, double mean, double std, double threshold, *, bint inclusive=False):
    """Indices of the values whose z-score exceeds the threshold (or reaches it: ``inclusive``).

    NaN is never anomalous.
    """
    cdef FloatReader reader = FloatReader(values)
    cdef Criterion criterion = new_criterion(mean, std, threshold, inclusive)
    cdef array.array indices = make_array("q")
    cdef double[RUN] run
    cdef Py_ssize_t got, base = 0
    if reader.is_direct:
        find_all(&criterion, reader.data, reader.length, 0, indices)
        return indices
    while True:
        got = reader.read(run, RUN)
        if got == 0:
            return indices
        find_all(&criterion, run, got, base, indices)
        base += got

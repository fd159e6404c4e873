"""Which values lie too far from a mean."""

from cpython cimport array
from libc.stdint cimport int64_t, uint8_t, uint64_t

from aetherops.core._native.aggregation.floats cimport FloatReader


cdef struct Criterion:
    double mean
    double std
    double threshold
    bint inclusive
    bint by_cutoffs      # low and high decide
    double low
    double high


cdef struct Limits:
    double low
    double high


cdef struct Candidates:
    # A bit for each value that has passed, set where it was not surely near the mean so far. Only
    # these candidates are compared with the final cut-offs.
    double threshold     # negative where no candidates are noted
    int64_t n_passed
    uint64_t *words
    int64_t capacity     # of words
    Limits limits        # what is near enough so far; low above high as long as nothing is known
    Limits widest        # of the limits that were used
    bint lost            # limits could not be told, or memory: every value must be read again


cdef void forget_candidates(Candidates *candidates) noexcept nogil
cdef void note_candidates(Candidates *candidates, const double *x, int64_t n,
                          const uint8_t *marks, int64_t count, double mean,
                          double m2) noexcept nogil
cdef bint candidates_suffice(const Candidates *candidates,
                             const Criterion *criterion) noexcept nogil
cdef int confirm_candidates(const Candidates *candidates, const Criterion *criterion,
                            FloatReader reader, array.array indices) except -1
cdef Criterion new_criterion(double mean, double std, double threshold,
                             bint inclusive) noexcept nogil
cdef int find_all(const Criterion *criterion, const double *x, int64_t n, int64_t base,
                  array.array indices) except -1

"""Which values lie too far from a mean."""

from cpython cimport array
from libc.stdint cimport int64_t, uint8_t, uint64_t

from aetherops.core._native.aggregation.floats cimport FloatReader


cdef struct Judge:
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


cdef struct Suspects:
    # A bit for each value that has passed, set where it was not surely near the mean so far. The
    # final cut-offs decide about these alone.
    double threshold     # negative where nothing is suspected
    int64_t n_passed
    uint64_t *words
    int64_t capacity     # of words
    Limits limits        # what is near enough so far; low above high as long as nothing is known
    Limits widest        # of the limits that were used
    bint lost            # limits could not be told, or memory: every value must be read again


cdef void forget_suspects(Suspects *suspects) noexcept nogil
cdef void suspect(Suspects *suspects, const double *x, int64_t n, const uint8_t *marks,
                  int64_t count, double mean, double m2) noexcept nogil
cdef bint suffice(const Suspects *suspects, const Judge *judge) noexcept nogil
cdef int convict(const Suspects *suspects, const Judge *judge, FloatReader reader,
                 array.array indices) except -1
cdef Judge new_judge(double mean, double std, double threshold, bint inclusive) noexcept nogil
cdef int append_indices(array.array indices, const int64_t *fresh, Py_ssize_t n) except -1
cdef int judge_all(const Judge *judge, const double *x, int64_t n, int64_t base,
                   array.array indices) except -1

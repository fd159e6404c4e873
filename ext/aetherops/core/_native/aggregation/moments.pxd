"""Count, mean, squares about it, extremes and ends of a stream."""

from libc.stdint cimport int64_t

from aetherops.core._native.aggregation.anomalies cimport Candidates
from aetherops.core._native.aggregation.floats cimport NanPolicy


cdef struct Totals:
    int64_t count
    double mean        # with mean_low the mean, as an unevaluated sum
    double mean_low
    double m2          # squares of the distances from the mean, summed
    double min
    double max
    double first
    double last


cdef struct MomentsState:
    Totals folded        # all whole blocks
    double *pending      # the block that is filling, allocated when first needed
    Py_ssize_t n_pending
    NanPolicy policy
    Candidates candidates    # of the folded values


cdef void merge_totals(Totals *into, const Totals *other) noexcept nogil
cdef void take_all(Totals *into, const double *x, int64_t n, Candidates *candidates) noexcept nogil
cdef void take_values(MomentsState *state, const double *x, Py_ssize_t n) noexcept nogil
cdef Totals totals_of(const MomentsState *state) noexcept nogil


cdef class BlockMoments:
    cdef object __weakref__
    cdef MomentsState running
    cdef bint in_use             # by a thread that has released the interpreter lock

    cdef int64_t count_taken(self) noexcept
    cdef int check_free(self) except -1
    cdef int reserve(self) except -1
    cdef Totals totals(self) except *
    cdef int feed(self, const double *x, Py_ssize_t n, Py_ssize_t index) except -1

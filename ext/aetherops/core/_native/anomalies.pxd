"""Which values lie too far from a mean."""

from cpython cimport array
from libc.stdint cimport int64_t


cdef struct Judge:
    double mean
    double std
    double threshold
    bint inclusive
    bint by_cutoffs      # low and high decide
    double low
    double high


cdef Judge new_judge(double mean, double std, double threshold, bint inclusive) noexcept nogil
cdef int append_indices(array.array indices, const int64_t *fresh, Py_ssize_t n) except -1
cdef int judge_all(const Judge *judge, const double *x, int64_t n, int64_t base,
                   array.array indices) except -1

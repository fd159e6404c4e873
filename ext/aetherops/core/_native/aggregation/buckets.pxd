"""Runs of a fixed number of consecutive values, each reduced to one value a function."""

from libc.stdint cimport int64_t

from aetherops.core._native.aggregation.floats cimport NanPolicy
from aetherops.core._native.aggregation.kernels cimport comparator


cdef enum Function:
    MEAN, MEDIAN, MIN, MAX, LAST, N_FUNCTIONS


cdef struct Filling:
    int64_t n             # values taken
    int64_t n_numbers     # of them, those that are not NaN; the rest is about these
    double sum
    double min
    double max
    double last


cdef struct Bucketing:
    int64_t factor
    Function[N_FUNCTIONS] codes
    int n_functions
    bint with_mean
    bint with_median
    bint with_extremes
    bint omits_nan
    double scale                    # 10**decimals, 0 for no rounding
    const comparator *network       # of medians, NULL where selection is cheaper
    int64_t network_size

    Filling filling
    Py_ssize_t n_complete

    # Addresses inside the arrays of Buckets, set by its reserve() and good until the next one.
    double *held                    # the filling bucket's values, for its median
    double *scratch                 # what medians may reorder
    double *columns[N_FUNCTIONS]    # of completed buckets, one a function


cdef void take_bucketed(Bucketing *state, const double *x, int64_t n) noexcept nogil
cdef double decimal_scale(object decimals) except -1.0


cdef class Buckets:
    cdef object __weakref__
    cdef tuple names                # of the functions
    cdef object digits              # decimals of the results
    cdef Bucketing running
    cdef NanPolicy policy
    cdef bint in_use                # by a thread that has released the interpreter lock
    cdef bytes network
    cdef object held
    cdef object scratch
    cdef list columns

    cdef int feed(self, const double *x, Py_ssize_t n, Py_ssize_t start) except -1
    cdef int check_free(self) except -1
    cdef int reserve(self, Py_ssize_t n_values) except -1
    cdef tuple shape(self)

"""Sources of numbers: anything iterable as chunks of doubles, and whole columns."""

from cpython.buffer cimport Py_buffer
from libc.stdint cimport int64_t


cdef extern from *:
    """
    #define MAX_EXACT_COUNT ((int64_t)1 << 53)
    """
    const int64_t MAX_EXACT_COUNT   # as aetherops/core/aggregation_input.py has it


cdef class FloatReader:
    cdef bint is_direct             # one contiguous buffer: read it at `data`
    cdef const double *data
    cdef Py_ssize_t length          # values of a buffer
    cdef Py_buffer view
    cdef bint has_view
    cdef object values
    cdef object sequence            # a list or a tuple, read without an iterator
    cdef object iterator
    cdef object error               # what ended the last read, raised by the next one
    cdef Py_ssize_t position        # values read so far

    cdef Py_ssize_t count(self) except -2
    cdef int read_some(self, const int64_t *indices, Py_ssize_t n, double *out) except -1
    cdef Py_ssize_t read(self, double *out, Py_ssize_t room) except -1
    cdef void read_strided(self, double *out, Py_ssize_t end) noexcept
    cdef Py_ssize_t read_sequence(self, double *out, Py_ssize_t room) except -1
    cdef Py_ssize_t read_iterator(self, double *out, Py_ssize_t room) except -1


cdef enum NanPolicy:
    PROPAGATE, OMIT, RAISE


cdef int64_t read_whole(object value, str field, int64_t low, int64_t high=*) except? -1
cdef int64_t read_int64(object value, str field) except? -1
cdef NanPolicy read_nan_policy(object policy) except *
cdef str nan_policy_name(NanPolicy policy)
cdef Py_ssize_t count_until_nan(const double *x, Py_ssize_t n) noexcept nogil


cdef class Column:
    cdef readonly Py_ssize_t length
    cdef const double *floats       # of a column of float64
    cdef const int64_t *integers    # of a column of int64
    cdef Py_buffer view
    cdef bint has_view
    cdef bytes copy

    cdef int open(self, object values, tuple formats, str field, str kind) except -1
    cdef int keep_copy(self) except -1


cdef Column float64_column(object values, str field)
cdef Column int64_column(object values, str field, bint copied=*)

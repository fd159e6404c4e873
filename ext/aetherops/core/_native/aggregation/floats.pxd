"""Any source of floats as strips of doubles: buffers without a copy, lists, iterators."""

from cpython.buffer cimport Py_buffer
from libc.stdint cimport int64_t


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

    cdef int read_some(self, const int64_t *indices, Py_ssize_t n, double *out) except -1
    cdef Py_ssize_t read(self, double *out, Py_ssize_t room) except -1
    cdef void read_strided(self, double *out, Py_ssize_t end) noexcept
    cdef Py_ssize_t read_sequence(self, double *out, Py_ssize_t room) except -1
    cdef Py_ssize_t read_iterator(self, double *out, Py_ssize_t room) except -1


cdef enum NanPolicy:
    PROPAGATE, OMIT, RAISE


cdef NanPolicy read_nan_policy(object policy) except *
cdef str nan_policy_name(NanPolicy policy)
cdef Py_ssize_t count_until_nan(const double *x, Py_ssize_t n) noexcept nogil
cdef object nan_refused(object field)

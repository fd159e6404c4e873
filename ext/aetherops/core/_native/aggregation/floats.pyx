# Twin: aetherops/core/_pure/aggregation/floats.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Sources of numbers: anything iterable as chunks of doubles, and whole columns."""

from cpython.buffer cimport (
    PyBUF_FORMAT, PyBUF_FULL_RO, PyBUF_STRIDED_RO, PyBuffer_Release, PyObject_CheckBuffer,
    PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.float cimport PyFloat_AsDouble
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uintptr_t
from libc.string cimport memcpy

from aetherops.core._native.aggregation.kernels cimport BLOCK, selected

from aetherops.core.aggregation_input import (
    FLOAT64_FORMATS, INT64_FORMATS, NAN_POLICIES, check_nan_policy, checked_int, checked_int64,
    column_refused,
)
from aetherops.errors import InvalidInputError


cdef extern from "Python.h":
    # Of a list or a tuple; good until Python code runs, which may change a list.
    PyObject **items_of "PySequence_Fast_ITEMS"(object values)
    Py_ssize_t size_of "PySequence_Fast_GET_SIZE"(object values)
    bint is_float "PyFloat_CheckExact"(PyObject *value)
    double float_value "PyFloat_AS_DOUBLE"(PyObject *value)


cdef tuple _FLOAT64_FORMATS = tuple([name.encode() for name in FLOAT64_FORMATS])
cdef tuple _INT64_FORMATS = tuple([name.encode() for name in INT64_FORMATS])


cdef tuple _POLICIES = NAN_POLICIES


cdef int64_t read_whole(object value, str field, int64_t low,
                        int64_t high=MAX_EXACT_COUNT) except? -1:
    """A whole number from ``low`` to ``high``; else the error of both twins."""
    cdef int overflow = 0
    cdef int64_t number
    if type(value) is int:
        number = PyLong_AsLongLongAndOverflow(value, &overflow)
        if not overflow and low <= number <= high:
            return number
    return checked_int(field, value, low, high)


cdef int64_t read_int64(object value, str field) except? -1:
    """An integer of 64 bits."""
    cdef int overflow = 0
    cdef int64_t number
    if type(value) is int:
        number = PyLong_AsLongLongAndOverflow(value, &overflow)
        if not overflow:
            return number
    return checked_int64(field, value)


cdef NanPolicy read_nan_policy(object policy) except *:
    cdef int code
    for code in range(3):
        if policy is _POLICIES[code]:
            return <NanPolicy>code
    return <NanPolicy><int>NAN_POLICIES.index(check_nan_policy(policy))


cdef str nan_policy_name(NanPolicy policy):
    return NAN_POLICIES[<int>policy]


cdef Py_ssize_t count_until_nan(const double *x, Py_ssize_t n) noexcept nogil:
    """Where the first NaN stands; n where there is none."""
    cdef Py_ssize_t i, start = 0, end
    while start < n:
        end = min(start + BLOCK, n)
        if selected().has_nan(x + start, end - start):
            for i in range(start, end):
                if x[i] != x[i]:
                    return i
        start = end
    return n


cdef bint holds_numbers(const Py_buffer *view, tuple formats) except -1:
    """Whether a buffer is of 8-byte numbers in one of these formats."""
    return (view.format != NULL and <bytes>view.format in formats
            and view.itemsize == sizeof(double))


# Of a buffer of one dimension. Exporters may leave both out, as ctypes does the strides, whatever
# they were asked for; then the buffer is contiguous.
cdef Py_ssize_t length_of(const Py_buffer *view) noexcept nogil:
    return view.shape[0] if view.shape != NULL else view.len // view.itemsize


cdef Py_ssize_t stride_of(const Py_buffer *view) noexcept nogil:
    return view.strides[0] if view.strides != NULL else view.itemsize


cdef class Column:
    """A contiguous buffer of 8-byte numbers, held as long as this is.

    Only numbers that do not lie at multiples of their size are copied.
    """

    def __dealloc__(self):
        if self.has_view:
            PyBuffer_Release(&self.view)

    cdef int open(self, object values, tuple formats, str field, str kind) except -1:
        try:
            PyObject_GetBuffer(values, &self.view, PyBUF_FULL_RO)
        except (TypeError, BufferError, ValueError):
            raise column_refused(field, values, kind) from None
        self.has_view = True
        if (not holds_numbers(&self.view, formats)
                or self.view.ndim != 1 or self.view.suboffsets != NULL):
            raise column_refused(field, values, kind)
        self.length = length_of(&self.view)
        if self.length > 1 and stride_of(&self.view) != self.view.itemsize:
            raise column_refused(field, values, kind)
        if <uintptr_t>self.view.buf % sizeof(double):
            self.keep_copy()
        else:
            self.floats = <const double *>self.view.buf
            self.integers = <const int64_t *>self.view.buf
        return 0

    cdef int keep_copy(self) except -1:
        self.copy = PyBytes_FromStringAndSize(
            <const char *>self.view.buf, self.length * sizeof(double)
        )
        self.floats = <const double *>PyBytes_AS_STRING(self.copy)
        self.integers = <const int64_t *>self.floats
        return 0


cdef Column float64_column(object values, str field):
    """A contiguous buffer of float64, which is not copied."""
    cdef Column column = Column()
    column.open(values, _FLOAT64_FORMATS, field, "float64")
    return column


cdef Column int64_column(object values, str field, bint copied=False):
    """A contiguous buffer of int64; a copy of it where nobody may change what has been checked."""
    cdef Column column = Column()
    column.open(values, _INT64_FORMATS, field, "int64")
    if copied:
        column.keep_copy()
    return column


cdef class FloatReader:
    """Reads a source once, from front to back.

    Values before a bad one are handed out before its error is raised, so that reading in chunks
    does the same as reading one by one.
    """

    def __init__(self, values):
        self.values = values
        self.position = 0
        if type(values) is list or type(values) is tuple:
            self.sequence = values
        elif not (PyObject_CheckBuffer(values) and self._open(values)):
            self.iterator = iter(values)

    def __dealloc__(self):
        if self.has_view:
            PyBuffer_Release(&self.view)

    def _open(self, values) -> bool:
        try:
            PyObject_GetBuffer(values, &self.view, PyBUF_STRIDED_RO | PyBUF_FORMAT)
        except (BufferError, ValueError):  # a buffer that no reader of plain numbers understands
            return False
        self.has_view = True
        if not holds_numbers(&self.view, _FLOAT64_FORMATS):
            return False
        if self.view.ndim != 1:
            raise InvalidInputError("values", f"{self.view.ndim} dimensions", "one dimension")
        self.length = length_of(&self.view)
        self.data = <const double *>self.view.buf
        self.is_direct = self.length == 0 or (
            (self.length == 1 or stride_of(&self.view) == sizeof(double))
            and <uintptr_t>self.view.buf % sizeof(double) == 0
        )
        return True

    cdef Py_ssize_t count(self) except -2:
        """How many values there are to look up by index; -1 where they can only be read once."""
        if self.has_view and self.iterator is None:
            return self.length
        return len(self.values) if hasattr(self.values, "__getitem__") else -1

    cdef int read_some(self, const int64_t *indices, Py_ssize_t n, double *out) except -1:
        """The values at some indices of a buffer, a list or a tuple."""
        cdef Py_ssize_t i = 0, length
        cdef PyObject **items
        if self.is_direct:
            for i in range(n):
                out[i] = self.data[indices[i]]
            return 0
        while i < n:
            if self.sequence is not None:
                # Looked up again after each number that is no float, which may change a list.
                items = items_of(self.sequence)
                length = size_of(self.sequence)
                while i < n and indices[i] < length and is_float(items[indices[i]]):
                    out[i] = float_value(items[indices[i]])
                    i += 1
            if i < n:
                out[i] = PyFloat_AsDouble(self.values[indices[i]])
                i += 1
        return 0

    cdef Py_ssize_t read(self, double *out, Py_ssize_t room) except -1:
        """Fill ``out`` with at most ``room`` next values; 0 means that there are no more."""
        cdef Py_ssize_t got, start = self.position
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        try:
            if self.sequence is not None:
                self.read_sequence(out, room)
            elif self.iterator is not None:
                self.read_iterator(out, room)
            else:
                self.read_strided(out, min(self.length, start + room))
        except BaseException as error:
            if self.position == start:
                raise
            self.error = error
        got = self.position - start
        return got

    cdef void read_strided(self, double *out, Py_ssize_t end) noexcept:
        cdef const char *source = <const char *>self.view.buf
        cdef Py_ssize_t start = self.position, stride = stride_of(&self.view)
        while self.position < end:
            memcpy(out + (self.position - start), source + self.position * stride, sizeof(double))
            self.position += 1

    cdef Py_ssize_t read_sequence(self, double *out, Py_ssize_t room) except -1:
        cdef Py_ssize_t start = self.position, end, i = start
        cdef PyObject **items
        while True:
            # Looked up again after each number that is no float, which may change a list.
            items = items_of(self.sequence)
            end = min(start + room, size_of(self.sequence))
            while i < end and is_float(items[i]):
                out[i - start] = float_value(items[i])
                i += 1
            self.position = i
            if i >= end:
                return 0
            out[i - start] = PyFloat_AsDouble(self.sequence[i])
            i += 1

    cdef Py_ssize_t read_iterator(self, double *out, Py_ssize_t room) except -1:
        cdef Py_ssize_t start = self.position
        while self.position < start + room:
            try:
                value = next(self.iterator)
            except StopIteration:
                break
            out[self.position - start] = PyFloat_AsDouble(value)
            self.position += 1
        return 0

"""The monotonic clock in nanoseconds."""

cdef extern from "monotonic.h":
    long long monotonic_ns() noexcept nogil

"""Sliding windows of call outcomes, for the breaker's kernel."""

from cython cimport final


cdef class Outcomes:
    cdef readonly long long calls
    cdef readonly long long failures
    cdef readonly long long slow

    cdef void add(self, long long now_ns, bint failed, bint slow) noexcept
    cdef void move_on(self, long long now_ns) noexcept
    cdef void forget(self) noexcept


@final
cdef class CountOutcomes(Outcomes):
    cdef readonly long long size
    cdef unsigned char *ring
    cdef long long next


cdef struct Bucket:
    long long calls
    long long failures
    long long slow


@final
cdef class TimeOutcomes(Outcomes):
    cdef readonly long long width_ns
    cdef readonly long long count
    cdef Bucket *buckets
    cdef long long epoch
    cdef long long newest           # where the bucket of `epoch` stands
    cdef long long ends_ns          # when that bucket ends

    cdef void turn(self, long long epoch) noexcept
    cdef void empty(self, Bucket *bucket) noexcept
    cdef Bucket *aged(self, long long age) noexcept

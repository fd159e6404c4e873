"""Counters by key in bounded memory: the table, and what each kind of counter defines."""

from cpython.object cimport PyObject
from libc.stdint cimport int64_t

from aetherops.core._native.ratelimit.bounds cimport MAX_ROW_WIDTH
from aetherops.core._native.ratelimit.key_table cimport Entry, Table


cdef extern from "ticks.h":
    ctypedef struct Calibration:
        pass
    int64_t monotonic_us(Calibration *at) noexcept


cdef struct Reading:
    int binding                     # which limit binds
    int64_t left                    # whole units that remain
    int64_t retry_us                # until the cost fits; -1 is never
    int64_t reset_us                # until the key is as if never seen


cdef int64_t read_cost(object cost) except -1
cdef int64_t read_instant(object now_us) except -1
cdef int64_t key_id(object key) except? -1
cdef PyObject *key_name(object key) noexcept


cdef class KeyedCounters:
    cdef Table table
    cdef Py_ssize_t _max_keys
    cdef Py_ssize_t hand
    cdef Py_ssize_t width           # numbers in a row
    cdef bint share_overflow
    cdef bint reads_own_clock
    cdef Calibration *calibration
    cdef object clock_ns
    cdef int64_t latest_us
    cdef int64_t shift_us           # from an instant to its place on a kind's grid
    cdef int64_t granted
    cdef int64_t refused
    cdef int64_t[MAX_ROW_WIDTH] overflow

    cdef int set_up(self, Py_ssize_t width, object max_keys, bint share_overflow,
                    object clock_ns) except -1

    cdef void fresh(self, int64_t *row, int64_t now) noexcept
    cdef bint fits(self, int64_t cost) noexcept
    cdef bint take(self, int64_t *row, int64_t cost, int64_t now) noexcept
    cdef bint idle(self, int64_t *row, int64_t now) noexcept
    cdef void give_back(self, int64_t *row, int64_t cost, int64_t now) noexcept
    cdef void read(self, int64_t *row, int64_t cost, int64_t now, Reading *into) noexcept
    cdef void save(self, int64_t *row, int64_t now, int64_t *into) noexcept
    cdef bint restore(self, int64_t *row, const int64_t *saved, int64_t now) noexcept

    cdef bint is_allowed(self, object key, object cost, object now_us) except -1
    cdef int64_t reading(self, object now_us) except? -1
    cdef int64_t *row_or_enter(self, PyObject *name, int64_t id, int64_t cost,
                               int64_t now) except? NULL
    cdef int grant(self, PyObject *name, int64_t id, int64_t cost, int64_t now) except -1
    cdef bytearray grant_ids(self, const int64_t[::1] ids, const int64_t[::1] prices,
                             int64_t price, int64_t now)
    cdef bytearray grant_keys(self, list keys, const int64_t[::1] prices, int64_t price,
                              int64_t now)
    cdef int load_rows(self, list keys, const char *rows, int64_t now) except -1
    cdef bint make_room(self, int64_t now) noexcept
    cdef void sweep(self, int slots, int64_t now) noexcept


cdef inline int64_t instant(KeyedCounters self, object now_us) except? -1:
    """The table's time of this call, never before the latest one."""
    cdef int64_t now
    if now_us is None and self.reads_own_clock:
        now = monotonic_us(self.calibration)
    else:
        now = self.reading(now_us)
    if now < self.latest_us:
        return self.latest_us
    self.latest_us = now
    return now

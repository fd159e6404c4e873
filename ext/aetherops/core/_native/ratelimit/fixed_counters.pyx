# Twin: aetherops/core/_pure/ratelimit/fixed_counters.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Fixed windows by key: each opens at a key's first request and counts until it is over."""

import time

from libc.stdint cimport int64_t

from aetherops.core._native.ratelimit.bounds cimport MAX_UNITS
from aetherops.core._native.ratelimit.keyed_counters cimport KeyedCounters, Reading

from aetherops.core.counter_input import plain_limit, plain_window


cdef class FixedCounters(KeyedCounters):
    """FixedCounters(limit, window_us, max_keys=1_000_000, share_overflow=False, \
clock_ns=...)\n--\n
    At most ``limit`` in each window of ``window_us``, the first opened by the first request.

    Across the end of a window up to twice the limit may pass; a strict sliding window never
    lets it.

    Parameters
    ----------
    limit : the most that one window grants.
    window_us : its length in microseconds.
    max_keys, share_overflow, clock_ns : as in ``KeyedCounters``.
    """

    # A row: start of the window, count in it.
    cdef int64_t _limit
    cdef int64_t window_us

    def __init__(self, limit, window_us, max_keys=1_000_000, share_overflow=False,
                 clock_ns=time.monotonic_ns):
        cdef int64_t window = plain_window(window_us)
        cdef int64_t quota = plain_limit(limit, MAX_UNITS)
        self.set_up(2, max_keys, share_overflow, clock_ns)
        self.window_us, self._limit = window, quota
        self.fresh(self.overflow, 0)

    @property
    def limit(self):
        """The most that one window grants."""
        return self._limit

    def set_limit(self, limit):
        """Put another limit in force; what was granted stays counted."""
        self._limit = plain_limit(limit, MAX_UNITS)

    cdef void fresh(self, int64_t *row, int64_t now) noexcept:
        row[0], row[1] = now, 0

    cdef bint fits(self, int64_t cost) noexcept:
        return cost <= self._limit

    cdef bint idle(self, int64_t *row, int64_t now) noexcept:
        return now - row[0] >= self.window_us or row[1] == 0

    cdef bint take(self, int64_t *row, int64_t cost, int64_t now) noexcept:
        cdef int64_t used = 0 if self.idle(row, now) else row[1]
        if cost > self._limit - used:
            return False
        if used == 0:
            row[0] = now
        row[1] = used + cost
        return True

    cdef void give_back(self, int64_t *row, int64_t cost, int64_t now) noexcept:
        row[1] -= min(cost, row[1])

    cdef void read(self, int64_t *row, int64_t cost, int64_t now, Reading *into) noexcept:
        cdef int64_t used = 0
        into.binding, into.retry_us, into.reset_us = 0, 0, 0
        if not self.idle(row, now):
            used = row[1]
            into.reset_us = row[0] + self.window_us - now
        if cost > self._limit:
            into.retry_us = -1
        elif cost > self._limit - used:
            into.retry_us = into.reset_us
        into.left = max(self._limit - used, 0)

    cdef void save(self, int64_t *row, int64_t now, int64_t *into) noexcept:
        into[0], into[1] = now - row[0], row[1]

    cdef bint restore(self, int64_t *row, const int64_t *saved, int64_t now) noexcept:
        if not (0 <= saved[0] <= MAX_UNITS and 0 <= saved[1] <= MAX_UNITS):
            return False
        row[0], row[1] = now - saved[0], saved[1]
        return True

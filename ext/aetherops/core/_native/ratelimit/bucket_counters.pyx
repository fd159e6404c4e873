# Twin: aetherops/core/_pure/ratelimit/bucket_counters.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Token buckets by key, counted in exact integer units."""

import time

from cpython.object cimport PyObject, PyObject_Hash
from cpython.unicode cimport PyUnicode_CheckExact
from libc.stdint cimport int64_t

from aetherops.core._native.ratelimit.bounds cimport MAX_UNITS, MAX_TIERS
from aetherops.core._native.ratelimit.key_table cimport Entry, entry_at, find_entry, row_of
from aetherops.core._native.ratelimit.keyed_counters cimport (
    KeyedCounters, Reading, instant, key_id, key_name, read_cost,
)

from aetherops.core.counter_input import plain_key, plain_max_wait, plain_tiers


cdef extern from *:
    """
    #if defined(__SIZEOF_INT128__)
    #define WIDE_PRODUCTS 1
    static inline int64_t scale_floor(int64_t value, int64_t by, int64_t over) {
        __int128 product = (__int128)value * by;
        int64_t quotient = (int64_t)(product / over);
        return quotient - (product % over < 0);
    }
    #else
    #define WIDE_PRODUCTS 0
    static inline int64_t scale_floor(int64_t value, int64_t by, int64_t over) { return 0; }
    #endif
    """
    bint WIDE_PRODUCTS
    int64_t scale_floor(int64_t value, int64_t by, int64_t over) noexcept


cdef object ONE = 1


cdef struct Tier:
    int64_t gain
    int64_t price
    int64_t capacity
    int64_t span        # microseconds that fill the bucket from its deepest debt


cdef inline int64_t ceil_div(int64_t value, int64_t by) noexcept:
    """Of any value by a positive one, as -(-value // by) in Python."""
    return value // by + (value % by > 0)


cdef inline int64_t credit_of(const Tier *tier, int64_t credit, int64_t elapsed) noexcept:
    credit += min(elapsed, tier.span) * tier.gain
    return min(credit, tier.capacity)


cdef inline bint longer(int64_t wait_us, int64_t other_us) noexcept:
    return other_us >= 0 and (wait_us < 0 or wait_us > other_us)


cdef class BucketCounters(KeyedCounters):
    """BucketCounters(tiers, max_keys=1_000_000, share_overflow=False, clock_ns=...)\n--\n
    Token buckets counted in exact integer units.

    A tier adds ``gain`` units a microsecond up to ``capacity``, and a token costs ``price``
    units, so a rate of gain/price tokens a microsecond is kept without any rounding. With
    several tiers a decision takes from all of them or from none.

    Parameters
    ----------
    tiers : (gain, price, capacity) of each limit; capacity at least one token, all at most 2⁶⁰.
    max_keys, share_overflow, clock_ns : as in ``KeyedCounters``.

    Raises
    ------
    InvalidInputError
        No tier, or one outside those bounds.
    """

    # A row: stamp, then the credit of each tier at the stamp; negative while reserved.
    cdef Tier[MAX_TIERS] _tiers
    cdef int n_tiers
    cdef int64_t largest_cost

    def __init__(self, tiers, max_keys=1_000_000, share_overflow=False,
                 clock_ns=time.monotonic_ns):
        cdef list plain = plain_tiers(tiers)
        self.set_up(1 + len(plain), max_keys, share_overflow, clock_ns)
        self.put_tiers(plain)
        self.fresh(self.overflow, 0)

    @property
    def tiers(self):
        """(gain, price, capacity) of each limit."""
        return tuple([
            (self._tiers[i].gain, self._tiers[i].price, self._tiers[i].capacity)
            for i in range(self.n_tiers)
        ])

    cdef bint is_allowed(self, object key, object cost, object now_us) except -1:
        # `grant` of one tier, written out: the virtual calls would cost as much again.
        cdef Entry *entry
        cdef Tier *tier
        cdef int64_t *row
        cdef int64_t now, left
        cdef int64_t price = 1 if cost is ONE else read_cost(cost)
        if not PyUnicode_CheckExact(key) or self.n_tiers != 1:
            return KeyedCounters.is_allowed(self, key, cost, now_us)
        now = instant(self, now_us)
        entry = find_entry(&self.table, <PyObject *>key, PyObject_Hash(key))
        if entry == NULL or price > self.largest_cost:
            return self.grant(<PyObject *>key, PyObject_Hash(key), price, now) == 1
        tier = &self._tiers[0]
        row = row_of(entry)
        left = credit_of(tier, row[1], now - row[0]) - price * tier.price
        if left < 0:
            self.refused += 1
            return False
        row[0], row[1] = now, left
        self.granted += 1
        return True

    def reserve(self, key, cost, max_wait_us, now_us=None):
        """Take ``cost`` now or from the tokens to come.

        Reservations of a key stand in line: each waits for those before it, whatever its size.

        Returns
        -------
        Microseconds to wait before the cost may be spent, or -1 where that is longer than
        ``max_wait_us``, or the cost exceeds the capacity, or there is no room; then nothing
        was taken.
        """
        cdef int64_t price, most_us, now, wait_us
        cdef int64_t *row
        key = plain_key(key)
        price = read_cost(cost)
        most_us = plain_max_wait(max_wait_us)
        now = instant(self, now_us)
        row = self.row_or_enter(key_name(key), key_id(key), price, now)
        wait_us = -1 if row == NULL else self.borrow(row, price, most_us, now)
        if wait_us < 0:
            self.refused += 1
        else:
            self.granted += 1
        return wait_us

    def set_tiers(self, tiers, now_us=None):
        """Put other limits in force: each credit keeps its share of the capacity, rounded down.

        Raises
        ------
        InvalidInputError
            A tier out of bounds, or another number of tiers than before.
        """
        cdef int64_t now
        cdef Py_ssize_t slot
        cdef list plain = plain_tiers(tiers, count=self.n_tiers)
        cdef Tier[MAX_TIERS] before = self._tiers
        now = instant(self, now_us)
        for slot in range(self.table.count):
            self.settle(row_of(entry_at(&self.table, slot)), now)
        self.settle(self.overflow, now)
        self.put_tiers(plain)
        for slot in range(self.table.count):
            self.rescale(row_of(entry_at(&self.table, slot)), before)
        self.rescale(self.overflow, before)

    cdef int put_tiers(self, list tiers) except -1:
        cdef int i
        self.n_tiers = len(tiers)
        self.largest_cost = MAX_UNITS
        for i in range(self.n_tiers):
            self._tiers[i].gain, self._tiers[i].price, self._tiers[i].capacity = tiers[i]
            self._tiers[i].span = 2 * MAX_UNITS // self._tiers[i].gain + 1
            self.largest_cost = min(
                self.largest_cost, self._tiers[i].capacity // self._tiers[i].price
            )
        return 0

    cdef void fresh(self, int64_t *row, int64_t now) noexcept:
        cdef int i
        row[0] = now
        for i in range(self.n_tiers):
            row[1 + i] = self._tiers[i].capacity

    cdef bint fits(self, int64_t cost) noexcept:
        return cost <= self.largest_cost

    cdef void settle(self, int64_t *row, int64_t now) noexcept:
        cdef int i
        for i in range(self.n_tiers):
            row[1 + i] = credit_of(&self._tiers[i], row[1 + i], now - row[0])
        row[0] = now

    cdef void rescale(self, int64_t *row, const Tier *before) noexcept:
        cdef int i
        for i in range(self.n_tiers):
            if WIDE_PRODUCTS:
                row[1 + i] = scale_floor(row[1 + i], self._tiers[i].capacity, before[i].capacity)
            else:
                row[1 + i] = (
                    <object>row[1 + i] * <object>self._tiers[i].capacity
                    // <object>before[i].capacity
                )

    cdef bint take(self, int64_t *row, int64_t cost, int64_t now) noexcept:
        cdef int64_t[MAX_TIERS] left
        cdef int i
        if cost > self.largest_cost:
            return False
        for i in range(self.n_tiers):
            left[i] = credit_of(&self._tiers[i], row[1 + i], now - row[0])
            left[i] -= cost * self._tiers[i].price
            if left[i] < 0:
                return False
        for i in range(self.n_tiers):
            row[1 + i] = left[i]
        row[0] = now
        return True

    cdef int64_t borrow(self, int64_t *row, int64_t cost, int64_t most_us,
                        int64_t now) noexcept:
        cdef int64_t after
        cdef int64_t wait_us = 0
        cdef int i
        if cost > self.largest_cost:
            return -1
        for i in range(self.n_tiers):
            after = credit_of(&self._tiers[i], row[1 + i], now - row[0])
            after -= cost * self._tiers[i].price
            if after < -MAX_UNITS:
                return -1
            wait_us = max(wait_us, ceil_div(-after, self._tiers[i].gain))
        if wait_us > most_us:
            return -1
        self.settle(row, now)
        for i in range(self.n_tiers):
            row[1 + i] -= cost * self._tiers[i].price
        return wait_us

    cdef bint idle(self, int64_t *row, int64_t now) noexcept:
        cdef int i
        for i in range(self.n_tiers):
            if credit_of(&self._tiers[i], row[1 + i], now - row[0]) < self._tiers[i].capacity:
                return False
        return True

    cdef void give_back(self, int64_t *row, int64_t cost, int64_t now) noexcept:
        cdef int i
        cost = min(cost, self.largest_cost)
        self.settle(row, now)
        for i in range(self.n_tiers):
            row[1 + i] = min(
                row[1 + i] + cost * self._tiers[i].price, self._tiers[i].capacity
            )

    cdef void read(self, int64_t *row, int64_t cost, int64_t now, Reading *into) noexcept:
        cdef int64_t credit, remaining, wait_us
        cdef bint tighter
        cdef const Tier *tier
        cdef int i
        into.binding, into.left, into.retry_us, into.reset_us = 0, 0, 0, 0
        for i in range(self.n_tiers):
            tier = &self._tiers[i]
            credit = credit_of(tier, row[1 + i], now - row[0])
            remaining = max(credit, 0) // tier.price
            wait_us = -1
            if cost <= tier.capacity // tier.price:
                wait_us = max(ceil_div(cost * tier.price - credit, tier.gain), 0)
            if wait_us == into.retry_us:
                tighter = remaining < into.left
            else:
                tighter = longer(wait_us, into.retry_us)
            if i == 0 or tighter:
                into.binding, into.left, into.retry_us = i, remaining, wait_us
                into.reset_us = ceil_div(tier.capacity - credit, tier.gain)

    cdef void save(self, int64_t *row, int64_t now, int64_t *into) noexcept:
        cdef int i
        into[0] = now - row[0]
        for i in range(self.n_tiers):
            into[1 + i] = row[1 + i]

    cdef bint restore(self, int64_t *row, const int64_t *saved, int64_t now) noexcept:
        cdef int i
        if not 0 <= saved[0] <= MAX_UNITS:
            return False
        for i in range(self.n_tiers):
            if not -MAX_UNITS <= saved[1 + i] <= self._tiers[i].capacity:
                return False
            row[1 + i] = saved[1 + i]
        row[0] = now - saved[0]
        return True

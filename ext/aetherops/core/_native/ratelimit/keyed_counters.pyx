# Twin: aetherops/core/_pure/ratelimit/keyed_counters.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
# One file: every decision passes readers of key and cost, table and sweep, and a call across
# modules goes through a pointer.
"""Counters by key in bounded memory."""

import os
import time

from cpython.array cimport array
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject, PyObject_Hash
from cpython.unicode cimport PyUnicode_CheckExact
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from aetherops.core._native.ratelimit.bounds cimport MAX_UNITS, MAX_ROW_WIDTH
from aetherops.core._native.ratelimit.key_table cimport (
    Entry, Table, add_entry, empty_table, entry_at, find_entry, prefetch_entry, prefetch_place,
    remove_slot, row_of,
)

from aetherops.core.counter_input import (
    plain_cost, plain_costs, plain_instant, plain_key, plain_keys, plain_max_keys, plain_reading,
    plain_rows,
)
from aetherops.errors import InvalidInputError


cdef extern from "Python.h":
    long long as_int64 "PyLong_AsLongLongAndOverflow"(object value, int *overflow) except? -1
    bint is_list "PyList_CheckExact"(object value)
    bint is_tuple "PyTuple_CheckExact"(object value)


cdef enum:
    SWEPT_ON_ENTRY = 2
    SWEPT_WHEN_FULL = 64
    RETRY_WHEN_FULL_US = 1_000_000
    AHEAD = 8               # decisions of a batch

cdef Calibration calibration    # of the one clock of all tables


cdef int64_t read_cost(object cost) except -1:
    cdef int overflow = 0
    cdef int64_t plain
    if PyLong_CheckExact(cost):
        plain = as_int64(cost, &overflow)
        if 1 <= plain <= MAX_UNITS and not overflow:
            return plain
    return plain_cost(cost)


cdef int64_t read_instant(object now_us) except -1:
    cdef int overflow = 0
    cdef int64_t plain
    if PyLong_CheckExact(now_us):
        plain = as_int64(now_us, &overflow)
        if 0 <= plain <= MAX_UNITS and not overflow:
            return plain
    return plain_instant(now_us)


cdef inline object exact_key(object key):
    cdef int overflow = 0
    if PyUnicode_CheckExact(key):
        return key
    if PyLong_CheckExact(key):
        as_int64(key, &overflow)
        if not overflow:
            return key
    return plain_key(key)


cdef int64_t key_id(object key) except? -1:
    """The number of an exact key: the hash of a text, or the integer."""
    cdef int overflow = 0
    if PyUnicode_CheckExact(key):
        return PyObject_Hash(key)
    return as_int64(key, &overflow)


cdef PyObject *key_name(object key) noexcept:
    return <PyObject *>key if PyUnicode_CheckExact(key) else NULL


cdef inline object key_of(const Entry *entry):
    return <object>entry.name if entry.name != NULL else entry.id


cdef class KeyedCounters:
    """A table of counters, one entry a key, that never holds more than ``max_keys``.

    An entry that is idle (a full bucket, an empty window) answers as an absent key does, so it
    may be dropped: each new key sweeps two slots, and 64 when the table is full. Where that
    frees none, a new key is refused, or shares one overflow entry with all others that found
    no room.

    The table's clock never runs back: an instant before the latest one seen counts as that one.
    A refused decision changes nothing but the clock.

    Parameters
    ----------
    width : how many integers a key's row has in ``dump``.
    max_keys : the most keys that are kept.
    share_overflow : new keys share one entry when no room is left, instead of being refused.
    clock_ns : a monotonic clock in nanoseconds, read where no instant is given.
    """

    def __dealloc__(self):
        empty_table(&self.table)

    cdef int set_up(self, Py_ssize_t width, object max_keys, bint share_overflow,
                    object clock_ns) except -1:
        """Once, and first of all: rows are as wide as the fields that are set afterwards say."""
        cdef Py_ssize_t most = plain_max_keys(max_keys)
        if self.width:
            raise TypeError("counters are made once")
        self.table.stride = sizeof(Entry) + width * sizeof(int64_t)
        self.table.secret = int.from_bytes(os.urandom(8), "little")
        self._max_keys = most
        self.width = width
        self.share_overflow = share_overflow
        self.reads_own_clock = clock_ns is time.monotonic_ns
        self.calibration = &calibration
        self.clock_ns = clock_ns
        return 0

    # What each kind of counter defines.

    cdef void fresh(self, int64_t *row, int64_t now) noexcept:
        pass

    cdef bint fits(self, int64_t cost) noexcept:
        return False

    cdef bint take(self, int64_t *row, int64_t cost, int64_t now) noexcept:
        return False

    cdef bint idle(self, int64_t *row, int64_t now) noexcept:
        return False

    cdef void give_back(self, int64_t *row, int64_t cost, int64_t now) noexcept:
        pass

    cdef void read(self, int64_t *row, int64_t cost, int64_t now, Reading *into) noexcept:
        pass

    cdef void save(self, int64_t *row, int64_t now, int64_t *into) noexcept:
        pass

    cdef bint restore(self, int64_t *row, const int64_t *saved, int64_t now) noexcept:
        return False

    # Decisions.

    def allow(self, key, cost=1, now_us=None):
        """Take ``cost`` from ``key`` if it is there.

        Parameters
        ----------
        key : text, or an integer of 64 bits.
        cost : from 1; one above the limit is never granted.
        now_us : the instant in microseconds of the caller's clock; read from ``clock_ns``
            inside the lock where it is not given.

        Raises
        ------
        InvalidInputError
            A key, cost or instant of another kind.
        """
        return self.is_allowed(key, cost, now_us)

    cdef bint is_allowed(self, object key, object cost, object now_us) except -1:
        cdef int64_t price, now
        key = exact_key(key)
        price = read_cost(cost)
        now = instant(self, now_us)
        return self.grant(key_name(key), key_id(key), price, now) == 1

    def admit(self, key, cost=1, now_us=None):
        """As ``allow``, with the reading after it.

        Returns
        -------
        (granted, index of the limit that binds, whole units remaining, µs until the cost can be
        granted (0 where it was, -1 for never), µs until the key is as if never seen, whether it
        was refused for want of room)
        """
        cdef int64_t price, now
        cdef bint granted
        cdef Entry *entry
        cdef int64_t[MAX_ROW_WIDTH] unseen
        cdef int64_t *row
        cdef Reading reading
        key = exact_key(key)
        price = read_cost(cost)
        now = instant(self, now_us)
        granted = self.grant(key_name(key), key_id(key), price, now)
        entry = find_entry(&self.table, key_name(key), key_id(key))
        if entry != NULL:
            row = row_of(entry)
        elif self.fits(price):
            if not self.share_overflow:
                return False, 0, 0, RETRY_WHEN_FULL_US, RETRY_WHEN_FULL_US, True
            row = self.overflow
        else:
            row = unseen
            self.fresh(row, now)
        self.read(row, 0 if granted else price, now, &reading)
        return (granted, reading.binding, reading.left, reading.retry_us, reading.reset_us,
                False)

    def inspect(self, key, cost=1, now_us=None):
        """What ``admit`` would say of a key, taking nothing.

        An absent key reads as fresh, and ``now_us`` may lie ahead: the clock is not moved.
        """
        cdef int64_t price, now
        cdef Entry *entry
        cdef int64_t[MAX_ROW_WIDTH] unseen
        cdef int64_t *row
        cdef Reading reading
        key = exact_key(key)
        price = read_cost(cost)
        now = max(self.reading(now_us), self.latest_us)
        entry = find_entry(&self.table, key_name(key), key_id(key))
        if entry != NULL:
            row = row_of(entry)
        else:
            row = unseen
            self.fresh(row, now)
        self.read(row, price, now, &reading)
        return (reading.retry_us == 0, reading.binding, reading.left, reading.retry_us,
                reading.reset_us, False)

    def allow_many(self, keys, costs=1, now_us=None):
        """Decide a batch in order, at one instant: 1 where granted, 0 where refused.

        Parameters
        ----------
        keys : a buffer of int64 (read without a copy), or any iterable of keys.
        costs : one cost for all, or as many as keys, as a buffer of int64 or an iterable.

        Raises
        ------
        InvalidInputError
            Any key or cost is invalid; then nothing of the batch was decided.
        """
        cdef const int64_t[::1] ids
        cdef const int64_t[::1] prices = None
        cdef int64_t price = 1
        # None would pass for a buffer, one without memory.
        if not is_list(keys) and not is_tuple(keys) and keys is not None:
            try:
                ids = keys
            except (ValueError, TypeError, BufferError):
                keys = plain_keys(keys)
            else:
                prices = read_costs(costs, ids.shape[0], &price)
                return self.grant_ids(ids, prices, price, instant(self, now_us))
        keys = exact_keys(keys)
        prices = read_costs(costs, len(keys), &price)
        return self.grant_keys(keys, prices, price, instant(self, now_us))

    cdef bytearray grant_ids(self, const int64_t[::1] ids, const int64_t[::1] prices,
                             int64_t price, int64_t now):
        cdef Py_ssize_t i
        cdef Py_ssize_t count = ids.shape[0]
        cdef bytearray granted = PyByteArray_FromStringAndSize(NULL, count)
        cdef char *into = PyByteArray_AS_STRING(granted)
        for i in range(count):
            # A table larger than the caches is read ahead: first the index, then the entry.
            if i + 2 * AHEAD < count:
                prefetch_place(&self.table, ids[i + 2 * AHEAD])
                prefetch_entry(&self.table, ids[i + AHEAD])
            if prices is not None:
                price = prices[i]
            into[i] = self.grant(NULL, ids[i], price, now)
        return granted

    cdef bytearray grant_keys(self, list keys, const int64_t[::1] prices, int64_t price,
                              int64_t now):
        cdef Py_ssize_t i
        cdef Py_ssize_t count = len(keys)
        cdef bytearray granted = PyByteArray_FromStringAndSize(NULL, count)
        cdef char *into = PyByteArray_AS_STRING(granted)
        for i in range(count):
            if prices is not None:
                price = prices[i]
            key = keys[i]
            into[i] = self.grant(key_name(key), key_id(key), price, now)
        return granted

    def refund(self, key, cost=1, now_us=None):
        """Give back what was granted and not used; never more than the key can hold."""
        cdef int64_t price, now
        cdef Entry *entry
        key = exact_key(key)
        price = read_cost(cost)
        now = instant(self, now_us)
        entry = find_entry(&self.table, key_name(key), key_id(key))
        if entry != NULL:
            self.give_back(row_of(entry), price, now)

    def reset(self, key):
        """Forget a key: its next decision is that of a new one."""
        cdef Entry *entry
        key = exact_key(key)
        entry = find_entry(&self.table, key_name(key), key_id(key))
        if entry != NULL:
            remove_slot(
                &self.table, (<char *>entry - self.table.entries) // self.table.stride
            )

    def clear(self):
        """Forget every key."""
        empty_table(&self.table)
        self.hand = 0
        self.fresh(self.overflow, self.latest_us)

    # Readings.

    def __len__(self):
        return self.table.count

    def __contains__(self, key):
        try:
            key = exact_key(key)
        except InvalidInputError:
            return False
        return find_entry(&self.table, key_name(key), key_id(key)) != NULL

    def keys(self):
        """The keys that are kept, in the table's order."""
        return [key_of(entry_at(&self.table, slot)) for slot in range(self.table.count)]

    def remainders(self, now_us=None):
        """The keys that are kept, and as int64 what each could still be granted at once."""
        cdef int64_t now = max(self.reading(now_us), self.latest_us)
        cdef Reading reading
        cdef Py_ssize_t slot
        cdef Py_ssize_t count = self.table.count
        cdef array left = array("q", bytes(count * sizeof(int64_t)))
        for slot in range(min(count, self.table.count)):  # less after a garbage collection
            self.read(row_of(entry_at(&self.table, slot)), 1, now, &reading)
            left.data.as_longlongs[slot] = reading.left
        return self.keys(), left

    @property
    def max_keys(self):
        """The most keys that are kept."""
        return self._max_keys

    @property
    def granted_total(self):
        """Decisions granted since construction."""
        return self.granted

    @property
    def refused_total(self):
        """Decisions refused since construction."""
        return self.refused

    # State.

    @property
    def row_width(self):
        """How many integers a key's row has in ``dump``."""
        return self.width

    def dump(self, now_us=None):
        """All that is kept: the keys, and for each a row of int64 in native order.

        Rows hold ages, not instants, so they mean the same under another clock.
        """
        cdef int64_t now = instant(self, now_us)
        cdef Py_ssize_t slot
        cdef bytes rows = PyBytes_FromStringAndSize(
            NULL, self.table.count * self.width * sizeof(int64_t)
        )
        cdef int64_t *into = <int64_t *>PyBytes_AS_STRING(rows)
        for slot in range(self.table.count):
            self.save(row_of(entry_at(&self.table, slot)), now, into + slot * self.width)
        return self.keys(), rows

    def load(self, keys, rows, elapsed_us=0, now_us=None):
        """Replace all that is kept by what ``dump`` gave ``elapsed_us`` ago.

        Parameters
        ----------
        keys : as ``dump`` gave them.
        rows : a buffer of as many rows of int64 in native order.
        elapsed_us : the microseconds since; they age every row.
        now_us : as in ``allow``.

        Raises
        ------
        InvalidInputError
            The rows are not such as ``dump`` gives, or the keys are repeated or too many.
        """
        cdef int64_t elapsed, now
        cdef int64_t shift_us = self.shift_us
        cdef Table before
        cdef bytes numbers
        keys = plain_keys(keys)
        elapsed = read_instant(elapsed_us)
        now = self.reading(now_us)
        if len(keys) > self._max_keys:
            raise InvalidInputError("keys", len(keys), f"at most {self._max_keys} keys")
        numbers = plain_rows(rows, self.width, len(keys))
        before = self.table
        self.table.entries, self.table.index = NULL, NULL
        self.table.size, self.table.count, self.table.room = 0, 0, 0
        try:
            self.load_rows(keys, PyBytes_AS_STRING(numbers), now - elapsed)
        except BaseException:
            empty_table(&self.table)
            self.table, self.shift_us = before, shift_us
            raise
        empty_table(&before)
        self.hand = 0
        self.latest_us = now
        self.fresh(self.overflow, now)

    cdef int load_rows(self, list keys, const char *rows, int64_t now) except -1:
        cdef int64_t[MAX_ROW_WIDTH] saved
        cdef Py_ssize_t slot
        cdef Py_ssize_t size = self.width * sizeof(int64_t)
        cdef Entry *entry
        for slot in range(len(keys)):
            key = keys[slot]
            memcpy(saved, rows + slot * size, size)
            entry = find_entry(&self.table, key_name(key), key_id(key))
            if entry == NULL:
                entry = add_entry(&self.table, key_name(key), key_id(key), self._max_keys)
                if self.restore(row_of(entry), saved, now):
                    continue
            raise InvalidInputError("rows", key, "one row a key, within the limits")
        return 0

    # The table.

    cdef int64_t reading(self, object now_us) except? -1:
        if now_us is None:
            if self.reads_own_clock:
                return monotonic_us(self.calibration)
            return plain_reading(self.clock_ns()) // 1000
        return read_instant(now_us)

    cdef int64_t *row_or_enter(self, PyObject *name, int64_t id, int64_t cost,
                               int64_t now) except? NULL:
        cdef Entry *entry = find_entry(&self.table, name, id)
        if entry != NULL:
            return row_of(entry)
        if not self.fits(cost):
            return NULL
        if self.make_room(now):
            entry = add_entry(&self.table, name, id, self._max_keys)
            self.fresh(row_of(entry), now)
            return row_of(entry)
        return self.overflow if self.share_overflow else NULL

    cdef int grant(self, PyObject *name, int64_t id, int64_t cost, int64_t now) except -1:
        cdef int64_t *row = self.row_or_enter(name, id, cost, now)
        if row != NULL and self.take(row, cost, now):
            self.granted += 1
            return 1
        self.refused += 1
        return 0

    cdef bint make_room(self, int64_t now) noexcept:
        self.sweep(SWEPT_ON_ENTRY, now)
        if self.table.count < self._max_keys:
            return True
        self.sweep(SWEPT_WHEN_FULL, now)
        return self.table.count < self._max_keys

    cdef void sweep(self, int slots, int64_t now) noexcept:
        cdef Py_ssize_t _
        for _ in range(min(slots, self.table.count)):
            if self.hand >= self.table.count:
                self.hand = 0
            if self.idle(row_of(entry_at(&self.table, self.hand)), now):
                remove_slot(&self.table, self.hand)
            else:
                self.hand += 1


cdef list exact_keys(object keys):
    """Keys of a list or tuple, each an exact text or integer of 64 bits."""
    cdef list plain
    if not is_list(keys) and not is_tuple(keys):
        return plain_keys(keys)
    plain = list(keys)      # the caller's may change while its clock or costs are read
    for key in plain:
        if exact_key(key) is not key:
            return plain_keys(plain)
    return plain


cdef object read_costs(object costs, Py_ssize_t count, int64_t *price):
    """One cost for all goes to `price`, and None is given; otherwise a buffer of them."""
    if PyLong_CheckExact(costs):
        price[0] = read_cost(costs)
        return None
    return array("q", plain_costs(costs, count))

# Twin: aetherops/core/_pure/ratelimit/keyed_limiter.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
# cython: nonecheck=True
"""What a limiter offers of the counters behind it."""

from aetherops.core._native.ratelimit.keyed_counters cimport KeyedCounters


cdef class KeyedLimiter:
    """KeyedLimiter(counters)\n--\n
    Decisions, refunds and readings by key, over counters that stay out of sight.

    Parameters
    ----------
    counters : decide and keep the counts.
    """

    cdef KeyedCounters counters

    def __init__(self, KeyedCounters counters not None):
        self.counters = counters

    def allow(self, key, cost=1, now_us=None):
        """Take ``cost`` from ``key`` if it is there.

        Parameters
        ----------
        key : text, or an integer of 64 bits.
        cost : from 1; one above the limit is never granted.
        now_us : the instant in microseconds of the caller's monotonic clock; read from the
            limiter's own where it is not given.

        Raises
        ------
        InvalidInputError
            A key, cost or instant of another kind.
        """
        return self.counters.is_allowed(key, cost, now_us)

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
        return self.counters.allow_many(keys, costs, now_us)

    def refund(self, key, cost=1, now_us=None):
        """Give back what was granted and not used; never more than the key can hold."""
        self.counters.refund(key, cost, now_us)

    def reset(self, key):
        """Forget a key: its next decision is that of a new one."""
        self.counters.reset(key)

    def clear(self):
        """Forget every key."""
        self.counters.clear()

    def keys(self):
        """The keys that are kept, in the table's order."""
        return self.counters.keys()

    @property
    def max_keys(self):
        """The most keys that are kept."""
        return self.counters.max_keys

    @property
    def granted_total(self):
        """Decisions granted since construction."""
        return self.counters.granted_total

    @property
    def refused_total(self):
        """Decisions refused since construction."""
        return self.counters.refused_total

    def __len__(self):
        return len(self.counters)

    def __contains__(self, key):
        return key in self.counters

    def __reduce__(self):
        raise TypeError("a limiter is neither copied nor pickled: keep its state()")

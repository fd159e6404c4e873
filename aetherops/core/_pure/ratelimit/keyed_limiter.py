# Twin: ext/aetherops/core/_native/ratelimit/keyed_limiter.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""What a limiter offers of the counters behind it."""

from __future__ import annotations

from typing import NoReturn

from aetherops.core._pure.ratelimit.keyed_counters import KeyedCounters

__all__ = ["KeyedLimiter"]


class KeyedLimiter:
    """Decisions, refunds and readings by key, over counters that stay out of sight.

    Parameters
    ----------
    counters : decide and keep the counts.
    """

    def __init__(self, counters: KeyedCounters) -> None:
        self._counters = counters

    def allow(self, key: str | int, cost: int = 1, now_us: int | None = None) -> bool:
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
        return self._counters.allow(key, cost, now_us)

    def allow_many(self, keys: object, costs: object = 1, now_us: int | None = None) -> bytearray:
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
        return self._counters.allow_many(keys, costs, now_us)

    def refund(self, key: str | int, cost: int = 1, now_us: int | None = None) -> None:
        """Give back what was granted and not used; never more than the key can hold."""
        self._counters.refund(key, cost, now_us)

    def reset(self, key: str | int) -> None:
        """Forget a key: its next decision is that of a new one."""
        self._counters.reset(key)

    def clear(self) -> None:
        """Forget every key."""
        self._counters.clear()

    def keys(self) -> list[str | int]:
        """The keys that are kept, in the table's order."""
        return self._counters.keys()

    @property
    def max_keys(self) -> int:
        """The most keys that are kept."""
        return self._counters.max_keys

    @property
    def granted_total(self) -> int:
        """Decisions granted since construction."""
        return self._counters.granted_total

    @property
    def refused_total(self) -> int:
        """Decisions refused since construction."""
        return self._counters.refused_total

    def __len__(self) -> int:
        return len(self._counters)

    def __contains__(self, key: object) -> bool:
        return key in self._counters

    def __reduce__(self) -> NoReturn:
        raise TypeError("a limiter is neither copied nor pickled: keep its state()")

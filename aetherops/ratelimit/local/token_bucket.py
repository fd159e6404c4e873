"""Token buckets: bursts pass, and what is sustained is held to a rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from fractions import Fraction

from aetherops.core import BucketCounters
from aetherops.core.counter_input import MAX_UNITS
from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.ratelimit.limits import BucketLimit
from aetherops.ratelimit.local import waiting
from aetherops.ratelimit.local.limiter import LocalLimiter
from aetherops.ratelimit.rate import Rate
from aetherops.ratelimit.state import Limit

__all__ = ["TokenBucket"]


class TokenBucket(LocalLimiter):
    """A bucket of tokens for each key, refilled at a steady rate.

    Tokens are counted in exact integers, so nothing is lost or gained by rounding however often
    a bucket is asked. Several limits on one key are decided together: all take, or none.

    Parameters
    ----------
    burst_capacity : the tokens of a full bucket, and the most that one decision may cost.
    refill_rate : tokens a second, or a ``Rate``, or text such as ``"50/min"``.
    also : further limits on each key.
    max_keys : the most keys that are kept. Full buckets are dropped to make room, which changes
        no answer; where there is none, a new key is refused.
    share_overflow : such new keys share one bucket instead.
    clock_ns : a monotonic clock in nanoseconds.

    Raises
    ------
    InvalidInputError
        A capacity or rate that is no positive number, or too large for exact arithmetic.

    Examples
    --------
    >>> bucket = TokenBucket(burst_capacity=2, refill_rate=1)
    >>> bucket.allow("agent"), bucket.allow("agent"), bucket.allow("agent")
    (True, True, False)
    """

    _counters: BucketCounters

    def __init__(
        self,
        burst_capacity: int,
        refill_rate: Rate | Fraction | float | str,
        *,
        also: Sequence[BucketLimit] = (),
        max_keys: int = 1_000_000,
        share_overflow: bool = False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        limits = (BucketLimit(burst_capacity, Rate.of(refill_rate)), *also)
        tiers = [limit.tier for limit in limits]
        super().__init__(BucketCounters(tiers, max_keys, share_overflow, clock_ns), limits)
        self._read_clock_ns = clock_ns

    def reserve(
        self, key: str | int, cost: int, max_wait_us: int, now_us: int | None = None
    ) -> int:
        """Take ``cost`` now or from the tokens to come, without waiting for them.

        Reservations of a key stand in line: each waits for those before it, whatever its size.

        Returns
        -------
        Microseconds to wait before the cost may be spent, or -1 where that is longer than
        ``max_wait_us``, or the cost exceeds the capacity, or there is no room; then nothing
        was taken.
        """
        return self._counters.reserve(key, cost, max_wait_us, now_us)

    def acquire(
        self,
        key: str | int,
        cost: int = 1,
        timeout_s: float | None = None,
        stop: threading.Event | None = None,
    ) -> bool:
        """Wait in this thread until ``cost`` is granted.

        Those who wait for a key, in threads and tasks alike, are served in the order in which
        they came, whatever they ask for.

        Parameters
        ----------
        timeout_s : the longest wait; None, as infinity, waits as long as it takes.
        stop : ends the wait when it is set.

        Returns
        -------
        True once granted. False at once where it would take longer than ``timeout_s`` or no
        room is left for the key, and false when stopped; then nothing was taken.

        Raises
        ------
        LimitExceededError
            The cost is above a limit, so that no waiting helps.
        """
        ready_ns = self._reserve_until(key, cost, timeout_s)
        if ready_ns is None:
            return False
        try:
            granted = waiting.wait(ready_ns, self._read_clock_ns, stop)
        except BaseException:
            self.refund(key, cost)
            raise
        if not granted:
            self.refund(key, cost)
        return granted

    async def acquire_async(
        self, key: str | int, cost: int = 1, timeout_s: float | None = None
    ) -> bool:
        """As ``acquire``, letting other tasks run; a cancelled wait gives its tokens back."""
        ready_ns = self._reserve_until(key, cost, timeout_s)
        if ready_ns is None:
            return False
        try:
            await waiting.wait_async(ready_ns, self._read_clock_ns)
        except BaseException:
            self.refund(key, cost)
            raise
        return True

    def _reserve_until(self, key: str | int, cost: int, timeout_s: float | None) -> int | None:
        """The clock's nanoseconds from which the reserved cost may be spent, or None."""
        smallest = min(limit.quota for limit in self._limits)
        if cost > smallest:
            raise LimitExceededError("cost of one decision", smallest, cost)
        if timeout_s is None:
            most_us = MAX_UNITS
        elif timeout_s >= 0:
            most_us = int(min(timeout_s * 1e6, MAX_UNITS))
        else:
            raise InvalidInputError("timeout_s", timeout_s, "seconds from 0, or None")
        wait_us = self.reserve(key, cost, most_us)
        return None if wait_us < 0 else self._read_clock_ns() + wait_us * 1000

    def _enforce(self, limits: Sequence[Limit], now_us: int | None) -> None:
        tiers = [limit.tier for limit in limits if isinstance(limit, BucketLimit)]
        self._counters.set_tiers(tiers, now_us)

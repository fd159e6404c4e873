# Twin: ext/aetherops/core/_native/resilience/outcomes.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Sliding windows of call outcomes: the last n calls, or the calls of the last seconds.

A call and its outcome enter a window in one step, when the call ends, so no reader ever sees a
call without its outcome.
"""

from __future__ import annotations

from aetherops.errors import InvalidInputError

__all__ = ["CountOutcomes", "TimeOutcomes"]

# A signal handler may raise after any call and where a loop turns, so totals and what they are the
# totals of are changed by statements without a call between them.

_FAILED = 1
_SLOW = 2


class CountOutcomes:
    """The outcomes of the last ``size`` calls: a ring of one byte a call and its running totals.

    Parameters
    ----------
    size : calls remembered, at least 1.

    Attributes
    ----------
    calls, failures, slow : of the outcomes remembered, how many there are, failed, were slow.
    """

    __slots__ = ("_next", "_ring", "calls", "failures", "size", "slow")

    def __init__(self, size: int) -> None:
        if size < 1:
            raise InvalidInputError("size", size, "at least 1")
        self.size = size
        self._ring = bytearray(size)
        self._next = 0
        self.calls = 0
        self.failures = 0
        self.slow = 0

    def push(self, now_ns: int, failed: bool, slow: bool) -> None:
        """Add one outcome, in place of the oldest where there is no room."""
        if self.calls == self.size:
            oldest = self._ring[self._next]
            self.failures -= oldest & _FAILED
            self.slow -= oldest >> 1
        else:
            self.calls += 1
        self._ring[self._next] = (_FAILED if failed else 0) | (_SLOW if slow else 0)
        self._next += 1
        if self._next == self.size:
            self._next = 0
        self.failures += failed
        self.slow += slow

    def advance(self, now_ns: int) -> None:
        """Forget what is too old at ``now_ns``."""
        # Nothing: these outcomes age by calls, not by time.

    def clear(self) -> None:
        """Forget every outcome."""
        self._next = 0
        self.calls = 0
        self.failures = 0
        self.slow = 0

    def rows(self, now_ns: int) -> list[tuple[int, int, int]]:
        """One ``(calls, failures, slow)`` a remembered call, oldest first."""
        oldest = self._next - self.calls + self.size
        outcomes = (self._ring[(oldest + i) % self.size] for i in range(self.calls))
        return [(1, outcome & _FAILED, outcome >> 1) for outcome in outcomes]

    def restore(self, rows: list[tuple[int, int, int]], now_ns: int, away_ns: int) -> None:
        """Take the place of a window that :meth:`rows` described ``away_ns`` ago."""
        self.clear()
        for _, failed, slow in rows:
            self.push(now_ns, bool(failed), bool(slow))


class TimeOutcomes:
    """The outcomes of the last ``width_ns * count`` nanoseconds, in ``count`` buckets.

    A bucket is forgotten whole, so the window spans between ``count - 1`` and ``count`` widths.
    Buckets begin at multiples of the width; a clock that goes back writes into the newest bucket.

    Parameters
    ----------
    width_ns : width of a bucket, at least 1.
    count : buckets, at least 1.

    Attributes
    ----------
    calls, failures, slow : of the outcomes remembered, how many there are, failed, were slow.
    """

    __slots__ = (
        "_buckets",
        "_ends_ns",
        "_epoch",
        "_newest",
        "calls",
        "count",
        "failures",
        "slow",
        "width_ns",
    )

    def __init__(self, width_ns: int, count: int) -> None:
        if width_ns < 1:
            raise InvalidInputError("width_ns", width_ns, "at least 1")
        if count < 1:
            raise InvalidInputError("count", count, "at least 1")
        self.width_ns = width_ns
        self.count = count
        self._buckets = [[0, 0, 0] for _ in range(count)]
        self._turn(0)
        self.calls = 0
        self.failures = 0
        self.slow = 0

    def push(self, now_ns: int, failed: bool, slow: bool) -> None:
        """Add one outcome, in place of the oldest where there is no room."""
        # Most calls fall into the newest bucket: two comparisons instead of a division.
        if not self._ends_ns - self.width_ns <= now_ns < self._ends_ns:
            self.advance(now_ns)
        bucket = self._buckets[self._newest]
        bucket[0] += 1
        bucket[1] += failed
        bucket[2] += slow
        self.calls += 1
        self.failures += failed
        self.slow += slow

    def advance(self, now_ns: int) -> None:
        """Forget what is too old at ``now_ns``."""
        epoch = now_ns // self.width_ns
        if self.calls == 0:
            self._turn(epoch)
        elif epoch - self._epoch >= self.count:
            self.clear()
            self._turn(epoch)
        else:
            while self._epoch < epoch:
                self._empty(self._buckets[(self._epoch + 1) % self.count])
                self._turn(self._epoch + 1)

    def clear(self) -> None:
        """Forget every outcome."""
        self._buckets = [[0, 0, 0] for _ in range(self.count)]
        self.calls = 0
        self.failures = 0
        self.slow = 0

    def rows(self, now_ns: int) -> list[tuple[int, int, int]]:
        """One ``(calls, failures, slow)`` a bucket, newest first."""
        self.advance(now_ns)
        rows = []
        for age in range(self.count):
            calls, failures, slow = self._buckets[self._newest - age]
            rows.append((calls, failures, slow))
        return rows

    def restore(self, rows: list[tuple[int, int, int]], now_ns: int, away_ns: int) -> None:
        """Take the place of a window that :meth:`rows` described ``away_ns`` ago."""
        if away_ns < 0:
            raise InvalidInputError("away_ns", away_ns, "at least 0")
        age = away_ns // self.width_ns
        self.clear()
        self._turn(now_ns // self.width_ns)
        for row in rows:
            if age >= self.count:
                break
            calls, failures, slow = row
            self._buckets[self._newest - age][:] = row
            self.calls += calls
            self.failures += failures
            self.slow += slow
            age += 1

    def _turn(self, epoch: int) -> None:
        self._epoch = epoch
        self._newest = epoch % self.count
        self._ends_ns = (epoch + 1) * self.width_ns

    def _empty(self, bucket: list[int]) -> None:
        self.calls -= bucket[0]
        self.failures -= bucket[1]
        self.slow -= bucket[2]
        bucket[0] = bucket[1] = bucket[2] = 0

# Twin: ext/aetherops/core/_native/aggregation/sliding.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Moments of a window that slides, without a subtraction that could lose digits.

Two stacks make a queue: for the older values, the moments of each of them with all that follow it
up to the turn; for the newer ones, the moments of all since the turn. A value that leaves takes
its entry along. When no older value is left, the newer ones are turned over: each value is merged
twice in its life, and nothing is ever taken out of a sum.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from math import isfinite, nan

from aetherops.core._pure.aggregation.floats import as_double, float_strips
from aetherops.core._pure.aggregation.moments import Totals, merge_totals
from aetherops.errors import InvalidInputError

__all__ = ["SlidingMoments"]

_NOTHING = Totals(0, nan, 0.0, 0.0, nan, nan, nan, nan)


def _single(x: float) -> Totals:
    extreme = x + 0.0
    return Totals(1, x, 0.0, 0.0 if isfinite(x) else nan, extreme, extreme, x, x)


class SlidingMoments:
    """The moments of the last ``size`` values, or of those younger than ``duration_us``."""

    def __init__(self, *, size: int = 0, duration_us: int = 0) -> None:
        if (size > 0) == (duration_us > 0) or size < 0 or duration_us < 0:
            raise InvalidInputError(
                "size", (size, duration_us), "either a size or a duration_us, more than 0"
            )
        self.size = size
        self.duration_us = duration_us
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self._entries: deque[tuple[float, int]] = deque()
        self._onward: list[Totals] = []  # of the older values, the oldest last
        self._newer = _NOTHING

    def push(self, x: float, time_us: int = 0) -> None:
        """Take one value, and let those go for which it leaves no room."""
        x = as_double(x)
        if self.duration_us and self._entries and time_us < self._entries[-1][1]:
            raise InvalidInputError("time_us", time_us, "no time before its predecessor")
        self._append(x, time_us)

    def push_many(self, values: Iterable[float], times_us: Sequence[int] | None = None) -> None:
        """Take values one after the other."""
        index = 0
        for strip in float_strips(values):
            for i, x in enumerate(strip, index):
                if self.duration_us and (times_us is None or i >= len(times_us)):
                    raise InvalidInputError("times_us", i, f"a time for values[{i}]")
                self.push(x, times_us[i] if times_us is not None and self.duration_us else 0)
            index += len(strip)

    def roll(
        self, values: Iterable[float]
    ) -> tuple[array[int], array[float], array[float], array[float], array[float]]:
        """Take values; count, mean, m2, min and max of the window after each."""
        count, (mean, m2, low, high) = array("q"), (array("d") for _ in range(4))
        for strip in float_strips(values):
            for x in strip:
                self._append(x, 0)
                totals = self._totals()
                count.append(totals.count)
                mean.append(totals.mean)
                m2.append(totals.m2)
                low.append(totals.min)
                high.append(totals.max)
        return count, mean, m2, low, high

    def expire(self, now_us: int) -> None:
        """Let the values go that are older than the duration."""
        if self.duration_us:
            while self._entries and self._entries[0][1] <= now_us - self.duration_us:
                self._drop()

    def _append(self, x: float, time_us: int) -> None:
        self._entries.append((x, time_us))
        self._newer = merge_totals(self._newer, _single(x))
        if self.size and len(self._entries) > self.size:
            self._drop()
        self.expire(time_us)

    def _drop(self) -> None:
        """Let the oldest value go."""
        if not self._onward:
            self._turn_over()
        self._entries.popleft()
        self._onward.pop()

    def _turn_over(self) -> None:
        onward = _NOTHING
        self._onward = []
        for x, _ in reversed(self._entries):
            onward = merge_totals(_single(x), onward)
            self._onward.append(onward)
        self._newer = _NOTHING

    def _totals(self) -> Totals:
        return merge_totals(self._onward[-1] if self._onward else _NOTHING, self._newer)

    def summary(self) -> tuple[int, float, float, float, float, float, float]:
        """(count, mean, m2, min, max, first, last) of the window."""
        t = self._totals()
        return t.count, t.mean, t.m2, t.min, t.max, t.first, t.last

    @property
    def count(self) -> int:
        """How many values the window holds."""
        return len(self._entries)

    def values(self) -> array[float]:
        """A copy of the values, oldest first."""
        return array("d", (x for x, _ in self._entries))

    def times_us(self) -> array[int]:
        """Their times, 0 where none was given."""
        return array("q", (time_us for _, time_us in self._entries))

    def state(self) -> tuple[array[float], array[int], int]:
        """Values, times, and how many of the values are the older ones."""
        return self.values(), self.times_us(), len(self._onward)

    def restore(self, values: Sequence[float], times_us: Sequence[int], older: int) -> None:
        """Become what ``state`` told."""
        if not 0 <= older <= len(values) == len(times_us):
            raise InvalidInputError("older", older, "0 to the number of values, a time for each")
        self.reset()
        size, duration_us, self.size, self.duration_us = self.size, self.duration_us, 0, 0
        for i, (value, time_us) in enumerate(zip(values, times_us, strict=True), 1):
            self._append(value, time_us)
            if i == older:
                self._turn_over()
        self.size, self.duration_us = size, duration_us

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
from collections.abc import Iterable, Sequence
from math import isfinite, nan
from typing import TypeAlias

from aetherops.core._pure.aggregation.floats import as_double, float_chunks, int64_column
from aetherops.core._pure.aggregation.moments import Totals, merge_totals
from aetherops.core.aggregation_input import checked_int, checked_int64, checked_state
from aetherops.errors import InvalidInputError

__all__ = ["SlidingMoments", "SlidingState", "restore_sliding", "rolling_columns", "sliding_state"]

#: Values, times, and how many of the values are the older ones.
SlidingState: TypeAlias = "tuple[array[float], array[int], int]"

_NOTHING = Totals(0, nan, 0.0, 0.0, nan, nan, nan, nan)


def _single(x: float) -> Totals:
    extreme = x + 0.0
    return Totals(1, x, 0.0, 0.0 if isfinite(x) else nan, extreme, extreme, x, x)


# A value, its time, and the moments of it with all that follow it up to the turn; those of a newer
# value are of it with those before it.
_Entry: TypeAlias = tuple[float, int, Totals]


class SlidingMoments:
    """The moments of the last ``size`` values, or of those younger than ``duration_us``."""

    def __init__(self, *, size: int = 0, duration_us: int = 0) -> None:
        if (size > 0) == (duration_us > 0) or size < 0 or duration_us < 0:
            raise InvalidInputError(
                "size", (size, duration_us), "either a size or a duration_us, more than 0"
            )
        self._size = checked_int("size", size, 0)
        self._duration_us = checked_int64("duration_us", duration_us)
        self.reset()

    @property
    def size(self) -> int:
        """Values in a full window; 0 where it is not limited by number."""
        return self._size

    @property
    def duration_us(self) -> int:
        """How long a value stays; 0 where the window is not limited by time."""
        return self._duration_us

    def reset(self) -> None:
        """Forget every value."""
        self._become([], [])

    def _become(self, older: list[_Entry], newer: list[_Entry]) -> None:
        # Both or neither: no signal handler runs between the two.
        self._older, self._newer = older, newer  # the oldest of all is the last of the older ones

    def push(self, x: float, time_us: int = 0) -> None:
        """Take one value, and let those go for which it leaves no room.

        Raises
        ------
        InvalidInputError
            The window is one of time, and the time is before that of the value before.
        """
        x = as_double(x)
        time_us = checked_int64("time_us", time_us)
        if self._duration_us:
            self._check_order(time_us)
        self._append(x, time_us)

    def _check_order(self, time_us: int) -> None:
        latest = self._newer or self._older[:1]
        if latest and time_us < latest[-1][1]:
            raise InvalidInputError("time_us", time_us, "no time before its predecessor")

    def push_many(self, values: Iterable[float], times_us: Sequence[int] | None = None) -> None:
        """Take values one after the other, with a time for each where the window is one of time.

        Parameters
        ----------
        values : an iterable, or a buffer of float64.
        times_us : int64, microseconds that do not run backwards; not read by a window of size.

        Raises
        ------
        InvalidInputError
            A value has no time, or one before that of the value before.
        """
        chunks = float_chunks(values)
        times = () if times_us is None else int64_column(times_us, "times_us")
        index = 0
        for chunk in chunks:
            for i, x in enumerate(chunk, index):
                if not self._duration_us:
                    self._append(x, 0)
                elif i < len(times):
                    self._check_order(times[i])
                    self._append(x, times[i])
                else:
                    raise InvalidInputError("times_us", i, f"a time for values[{i}]")
            index += len(chunk)

    def expire(self, now_us: int) -> None:
        """Let the values go that are older than the duration.

        Parameters
        ----------
        now_us : microseconds, of the clock whose times were pushed.
        """
        self._drop_before(checked_int64("now_us", now_us))

    def _drop_before(self, now_us: int) -> None:
        if not self._duration_us:
            return
        last_us = now_us - self._duration_us
        while self._older or self._newer:
            oldest = self._older[-1] if self._older else self._newer[0]
            if oldest[1] > last_us:
                return
            self._drop()

    def _append(self, x: float, time_us: int) -> None:
        before = self._newer[-1][2] if self._newer else _NOTHING
        self._newer.append((x, time_us, merge_totals(before, _single(x))))
        if self._duration_us:
            self._drop_before(time_us)
            return
        while len(self._older) + len(self._newer) > self._size:
            self._drop()

    def _drop(self) -> None:
        """Let the oldest value go."""
        if not self._older:
            self._turn_over()
        self._older.pop()

    def _turn_over(self) -> None:
        """Make the newer values the older ones, after those that are there."""
        onward = _NOTHING
        older = []
        for x, time_us, _ in reversed([*reversed(self._older), *self._newer]):
            onward = merge_totals(_single(x), onward)
            older.append((x, time_us, onward))
        self._become(older, [])

    def _totals(self) -> Totals:
        older = self._older[-1][2] if self._older else _NOTHING
        return merge_totals(older, self._newer[-1][2]) if self._newer else older

    def summary(self) -> tuple[int, float, float, float, float, float, float]:
        """(count, mean, m2, min, max, first, last) of the window."""
        t = self._totals()
        return t.count, t.mean, t.m2, t.min, t.max, t.first, t.last

    @property
    def count(self) -> int:
        """How many values the window holds."""
        return len(self._older) + len(self._newer)

    def values(self) -> array[float]:
        """A copy of the values, oldest first."""
        return array("d", [value for value, _, _ in self._entries()])

    def times_us(self) -> array[int]:
        """A copy of their times, 0 where none was given."""
        return array("q", [time_us for _, time_us, _ in self._entries()])

    def _entries(self) -> list[_Entry]:
        return [*reversed(self._older), *self._newer]


def rolling_columns(
    values: Iterable[float], size: int
) -> tuple[array[int], array[float], array[float], array[float], array[float]]:
    """Count, mean, m2, min and max of the last ``size`` values after each value."""
    window = SlidingMoments(size=size)
    count, (mean, m2, low, high) = array("q"), (array("d") for _ in range(4))
    for chunk in float_chunks(values):
        for x in chunk:
            window._append(x, 0)
            totals = window._totals()
            count.append(totals.count)
            mean.append(totals.mean)
            m2.append(totals.m2)
            low.append(totals.min)
            high.append(totals.max)
    return count, mean, m2, low, high


def sliding_state(window: SlidingMoments) -> SlidingState:
    """Values, times, and how many of the values are the older ones."""
    return window.values(), window.times_us(), len(window._older)


def restore_sliding(window: SlidingMoments, state: SlidingState) -> None:
    """Make a window what ``sliding_state`` told.

    Raises
    ------
    InvalidInputError
        There is not a time for each value, or there are fewer values than older ones.
    """
    values, times_us, older = checked_state(state, 3)
    numbers, times = array("d", values), array("q", times_us)
    if len(times) != len(numbers):
        raise InvalidInputError("times_us", f"{len(times)} values", f"{len(numbers)}")
    older = checked_int("older", older, 0, len(numbers))
    restored = SlidingMoments(size=max(len(numbers), 1))
    for i, (value, time_us) in enumerate(zip(numbers, times, strict=True), 1):
        restored._append(value, time_us)
        if i == older:
            restored._turn_over()
    window._become(restored._older, restored._newer)

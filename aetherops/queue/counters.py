"""Counters that several threads may share."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

__all__ = ["BatchAccumulator", "SharedCounter"]


class SharedCounter:
    """A counter that loses no increment, whichever threads count. It remembers every value."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._value = 0
        self._history: list[int] = []

    def increment(self, n: int = 1) -> int:
        """Add `n` and return the value that this made."""
        with self._lock:
            self._value += n
            self._history.append(self._value)
            return self._value

    def snapshot(self) -> int:
        """The value now, as `value`."""
        return self.value()

    def increment_and_snapshot(self, n: int = 1) -> tuple[int, int]:
        """Add `n` and return the new value twice: no other thread counts in between."""
        new = self.increment(n)
        return (new, new)

    def value(self) -> int:
        """The sum of all increments so far."""
        with self._lock:
            return self._value

    def history(self) -> list[int]:
        """The value after each increment, oldest first; an independent list."""
        with self._lock:
            return self._history.copy()


class BatchAccumulator:
    """Sum and count of the values given under each key; the values themselves are not kept.

    Threads may share it: a batch is added whole, or, where its iterable raises, not at all.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums: dict[Hashable, tuple[float, int]] = {}

    def accumulate(self, key: Hashable, values: Iterable[float]) -> None:
        """Add the values of any iterable, once through, to a key."""
        batch = list(values)
        with self._lock:
            total, seen = self._sums.get(key, (0.0, 0))
            for value in batch:
                total += value
            self._sums[key] = (total, seen + len(batch))

    def average(self, key: Hashable) -> float:
        """Mean of a key's values, rounded to 4; 0.0 where it has none."""
        total, seen = self._of(key)
        return round(float(total / seen), 4) if seen else 0.0

    def total(self, key: Hashable) -> float:
        """Sum of a key's values in the order given; 0.0 where it has none."""
        return self._of(key)[0]

    def count(self, key: Hashable) -> int:
        """How many values a key has."""
        return self._of(key)[1]

    def _of(self, key: Hashable) -> tuple[float, int]:
        with self._lock:
            return self._sums.get(key, (0.0, 0))

# Twin: ext/aetherops/core/_native/ratelimit/fixed_counters.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Fixed windows by key: each opens at a key's first request and counts until it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from aetherops.core._pure.ratelimit.keyed_counters import KeyedCounters
from aetherops.core.counter_input import MAX_UNITS, plain_limit, plain_window

__all__ = ["FixedCounters"]

_START, _COUNT = 1, 2


class FixedCounters(KeyedCounters):
    """At most ``limit`` in each window of ``window_us``, the first opened by the first request.

    Across the end of a window up to twice the limit may pass; a strict sliding window never
    lets it.

    Parameters
    ----------
    limit : the most that one window grants.
    window_us : its length in microseconds.
    max_keys, share_overflow, clock_ns : as in ``KeyedCounters``.
    """

    # An entry: slot, start of the window, count in it.

    def __init__(
        self,
        limit: int,
        window_us: int,
        max_keys: int = 1_000_000,
        share_overflow: bool = False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._window_us = plain_window(window_us)
        self._limit = plain_limit(limit, MAX_UNITS)
        super().__init__(2, max_keys, share_overflow, clock_ns)

    @property
    def limit(self) -> int:
        """The most that one window grants."""
        return self._limit

    def set_limit(self, limit: int) -> None:
        """Put another limit in force; what was granted stays counted."""
        limit = plain_limit(limit, MAX_UNITS)
        with self._lock:
            self._changes += 1
            self._limit = limit

    def _fresh(self, slot: int, now: int) -> list[Any]:
        return [slot, now, 0]

    def _fits(self, cost: int) -> bool:
        return cost <= self._limit

    def _idle(self, entry: list[Any], now: int) -> bool:
        idle: bool = now - entry[_START] >= self._window_us or entry[_COUNT] == 0
        return idle

    def _take(self, entry: list[Any], cost: int, now: int) -> bool:
        used = 0 if self._idle(entry, now) else entry[_COUNT]
        if cost > self._limit - used:
            return False
        if used == 0:
            entry[_START] = now
        entry[_COUNT] = used + cost
        return True

    def _give_back(self, entry: list[Any], cost: int, now: int) -> None:
        entry[_COUNT] -= min(cost, entry[_COUNT])

    def _read(self, entry: list[Any], cost: int, now: int) -> tuple[int, int, int, int]:
        used, reset_us, retry_us = 0, 0, 0
        if not self._idle(entry, now):
            used = entry[_COUNT]
            reset_us = entry[_START] + self._window_us - now
        if cost > self._limit:
            retry_us = -1
        elif cost > self._limit - used:
            retry_us = reset_us
        return 0, max(self._limit - used, 0), retry_us, reset_us

    def _row(self, entry: list[Any], now: int) -> list[int]:
        return [now - entry[_START], entry[_COUNT]]

    def _entry(self, slot: int, row: list[int], now: int) -> list[Any] | None:
        age, count = row
        if not (0 <= age <= MAX_UNITS and 0 <= count <= MAX_UNITS):
            return None
        return [slot, now - age, count]

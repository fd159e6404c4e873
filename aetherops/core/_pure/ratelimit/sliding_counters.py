# Twin: ext/aetherops/core/_native/ratelimit/sliding_counters.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Sliding windows by key, counted in sub-windows of one grid."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from aetherops.core._pure.ratelimit.keyed_counters import KeyedCounters
from aetherops.core.counter_input import MAX_UNITS, plain_limit, plain_sub_windows, plain_window

__all__ = ["SlidingCounters"]

_NEWEST, _COUNTS, _LASTS = 1, 2, 3


class SlidingCounters(KeyedCounters):
    """At most ``limit`` in a window that slides.

    Interpolated, the oldest cell counts by the part of it that is still in the window, which
    takes its grants as spread evenly: where they were not, up to about twice the limit may pass
    in one window. Strict, a cell counts whole until its last grant has left the window, so no
    window of that length ever holds more than the limit. What a client loses by that is the part
    of the oldest cell that has left already. So cells are opened as grants come, not by a grid:
    a new one when the newest is as old as a sub-window or has its equal share of the limit.

    Parameters
    ----------
    limit : the most that a window grants; times the width of a cell at most 2⁶⁰.
    window_us : its length in microseconds.
    sub_windows : how many cells it is cut into, 1 to 64; each is ``window_us / sub_windows``
        wide, rounded up (strict: at most).
    strict : whether it is strict or interpolated.
    max_keys, share_overflow, clock_ns : as in ``KeyedCounters``.
    """

    # An entry: slot, index of the newest cell (strict: when it was opened), counts from the newest
    # cell to the oldest, and in strict windows the instant of each cell's last grant. The two lists
    # are never changed, only put in others' place, so that a copy of an entry stays what it was.

    def __init__(
        self,
        limit: int,
        window_us: int,
        sub_windows: int,
        strict: bool,
        max_keys: int = 1_000_000,
        share_overflow: bool = False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._window_us = plain_window(window_us)
        self._older = plain_sub_windows(sub_windows)
        self._cell_us = -(-self._window_us // self._older)
        self._limit = plain_limit(limit, MAX_UNITS // self._cell_us)
        self._strict = strict
        # What is used is counted in 1/unit, so that a part of a cell is a whole number.
        self._unit = 1 if strict else self._cell_us
        # One is being filled and one is leaving; a strict window has one to spare for them.
        self._cells = self._older + (2 if strict else 1)
        self._share = -(-self._limit // self._cells)
        width = 1 + (2 * self._cells if strict else self._cells)
        super().__init__(width, max_keys, share_overflow, clock_ns)

    @property
    def limit(self) -> int:
        """The most that a window grants."""
        return self._limit

    def set_limit(self, limit: int) -> None:
        """Put another limit in force; what was granted stays counted."""
        limit = plain_limit(limit, MAX_UNITS // self._cell_us)
        with self._lock:
            self._changes += 1
            self._limit = limit
            self._share = -(-limit // self._cells)

    def _fresh(self, slot: int, now: int) -> list[Any]:
        newest = now if self._strict else (now + self._shift_us) // self._cell_us
        return [slot, newest, [0] * self._cells, [0] * self._cells]

    def _fits(self, cost: int) -> bool:
        return cost <= self._limit

    def _count(self, entry: list[Any], cost: int, now: int) -> None:
        """Count a granted cost in the newest cell, a new one where that is due."""
        if self._strict:
            self._open_cell(entry, cost, now)
            entry[_LASTS] = [now, *entry[_LASTS][1:]]
        else:
            self._move_on(entry, now)
        newest, *older = entry[_COUNTS]
        entry[_COUNTS] = [newest + cost, *older]

    def _move_on(self, entry: list[Any], now: int) -> None:
        """Make the cell of the grid at ``now`` the newest."""
        index = (now + self._shift_us) // self._cell_us
        behind = min(index - entry[_NEWEST], self._cells)
        if behind > 0:
            entry[_COUNTS] = [0] * behind + entry[_COUNTS][:-behind]
            entry[_NEWEST] = index

    def _open_cell(self, entry: list[Any], cost: int, now: int) -> None:
        """Open a cell if the newest is over or full, unless no cell is free for it."""
        counts, lasts = entry[_COUNTS], entry[_LASTS]
        if counts[0] == 0:
            entry[_NEWEST] = now
            return
        # What comes at one instant leaves at one, so it needs no second cell.
        if lasts[0] == now:
            return
        if now - entry[_NEWEST] < self._cell_us and counts[0] + cost <= self._share:
            return
        if counts[-1] == 0 or lasts[-1] <= now - self._window_us:
            entry[_COUNTS] = [0, *counts[:-1]]
            entry[_LASTS] = [0, *lasts[:-1]]
            entry[_NEWEST] = now

    def _give_back(self, entry: list[Any], cost: int, now: int) -> None:
        left = []
        for count in entry[_COUNTS]:
            back = min(cost, count)
            left.append(count - back)
            cost -= back
        entry[_COUNTS] = left

    def _row(self, entry: list[Any], now: int) -> list[int]:
        age = now - entry[_NEWEST]
        if not self._strict:
            age = now + self._shift_us - entry[_NEWEST] * self._cell_us
        lasts = [
            now - last if count else 0
            for count, last in zip(entry[_COUNTS], entry[_LASTS], strict=True)
        ]
        return [age, *entry[_COUNTS], *lasts][: self._width]

    def _entry(self, slot: int, row: list[int], now: int) -> list[Any] | None:
        cells = self._cells
        age, counts, ages = row[0], row[1 : 1 + cells], row[1 + cells :]
        if not (0 <= age <= MAX_UNITS and all(0 <= held <= MAX_UNITS for held in ages)):
            return None
        most = 2 * MAX_UNITS // self._cell_us
        if not (all(0 <= count <= most for count in counts) and sum(counts) <= most):
            return None
        start = now - age
        if self._strict:
            return [slot, start, counts, [now - held for held in ages]]
        # The first row sets the grid, the others must agree with it.
        if slot == 0:
            self._loading_shift_us = -start % self._cell_us
        newest, beside = divmod(start + self._loading_shift_us, self._cell_us)
        if beside:
            return None
        return [slot, newest, counts, [0] * cells]

    def _used(self, entry: list[Any], now: int) -> int:
        """Grants in the window, in 1/unit."""
        if self._strict:
            opened = now - self._window_us
            used = 0
            for count, last in zip(entry[_COUNTS], entry[_LASTS], strict=True):
                if last > opened:
                    used += count
            return used
        time_us = now + self._shift_us
        leaving = self._older - (time_us // self._cell_us - entry[_NEWEST])
        if leaving < 0:
            return 0
        whole = 0
        for i in range(leaving):
            whole += entry[_COUNTS][i]
        part_us = self._cell_us - time_us % self._cell_us
        oldest: int = entry[_COUNTS][leaving]
        return whole * self._cell_us + oldest * part_us

    def _idle(self, entry: list[Any], now: int) -> bool:
        return self._used(entry, now) == 0

    def _take(self, entry: list[Any], cost: int, now: int) -> bool:
        if cost > self._limit:
            return False
        if cost * self._unit > self._limit * self._unit - self._used(entry, now):
            return False
        self._count(entry, cost, now)
        return True

    def _read(self, entry: list[Any], cost: int, now: int) -> tuple[int, int, int, int]:
        room = self._limit * self._unit - self._used(entry, now)
        retry_us = -1
        if cost <= self._limit:
            retry_us = 0 if cost * self._unit <= room else self._wait(entry, cost, now)
        return 0, max(room, 0) // self._unit, retry_us, self._rest(entry, now)

    def _rest(self, entry: list[Any], now: int) -> int:
        """Microseconds until nothing is in the window any more."""
        rest_us: int
        for i, count in enumerate(entry[_COUNTS]):
            if count and self._strict:
                rest_us = entry[_LASTS][i] + self._window_us - now
                return max(rest_us, 0)
            if count:
                rest_us = (entry[_NEWEST] - i + self._older + 1) * self._cell_us
                return max(rest_us - (now + self._shift_us), 0)
        return 0

    def _wait(self, entry: list[Any], cost: int, now: int) -> int:
        """Microseconds until a refused cost fits, if nothing else is granted until then."""
        if self._strict:
            return self._wait_strict(entry, cost, now)
        return self._wait_interpolated(entry, cost, now)

    def _wait_strict(self, entry: list[Any], cost: int, now: int) -> int:
        """Cell by cell leaves the window with its last grant, the oldest first."""
        used = self._used(entry, now)
        leaves_us = 0
        for i in range(self._cells - 1, -1, -1):
            if used + cost <= self._limit:
                break
            if entry[_LASTS][i] > now - self._window_us:
                used -= entry[_COUNTS][i]
                leaves_us = entry[_LASTS][i] + self._window_us - now
        return leaves_us

    def _wait_interpolated(self, entry: list[Any], cost: int, now: int) -> int:
        """Cell by cell leaves the window, each evenly over the width of a cell."""
        cell_us = self._cell_us
        time_us = now + self._shift_us
        index = time_us // cell_us
        while True:
            # While `index` is the present cell, `oldest` is leaving.
            leaving = self._older - (index - entry[_NEWEST])
            whole = 0
            for i in range(leaving):
                whole += entry[_COUNTS][i]
            oldest = entry[_COUNTS][leaving] if leaving >= 0 else 0
            spare = self._limit - cost - whole
            if spare >= 0:
                stay_us = spare * cell_us // oldest if oldest else cell_us
                return max(index * cell_us + max(cell_us - stay_us, 0) - time_us, 0)
            index += 1

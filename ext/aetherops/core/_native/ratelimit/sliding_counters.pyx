# Twin: aetherops/core/_pure/ratelimit/sliding_counters.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Sliding windows by key, counted in sub-windows of one grid."""

import time

from libc.stdint cimport int64_t
from libc.string cimport memmove, memset

from aetherops.core._native.ratelimit.bounds cimport MAX_UNITS
from aetherops.core._native.ratelimit.keyed_counters cimport KeyedCounters, Reading

from aetherops.core.counter_input import plain_limit, plain_sub_windows, plain_window


cdef class SlidingCounters(KeyedCounters):
    """SlidingCounters(limit, window_us, sub_windows, strict, max_keys=1_000_000, \
share_overflow=False, clock_ns=...)\n--\n
    At most ``limit`` in a window that slides.

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

    # A row: index of the newest cell (strict: when it was opened), counts from the newest cell to
    # the oldest, and in strict windows the instant of each cell's last grant.
    cdef int64_t _limit
    cdef int64_t window_us
    cdef int64_t cell_us
    cdef int older
    cdef int cells
    cdef int64_t share      # of the limit, that fills a cell of a strict window
    cdef bint strict
    cdef int64_t unit       # what is used is counted in 1/unit: a part of a cell is whole

    def __cinit__(self, *_, **__):
        self.cell_us = 1
        self.unit = 1
        self.cells = 1

    def __init__(self, limit, window_us, sub_windows, strict, max_keys=1_000_000,
                 share_overflow=False, clock_ns=time.monotonic_ns):
        cdef int64_t window = plain_window(window_us)
        cdef int older = plain_sub_windows(sub_windows)
        cdef int64_t cell = (window + older - 1) // older
        cdef int64_t quota = plain_limit(limit, MAX_UNITS // cell)
        cdef bint is_strict = strict
        cdef int cells = older + (2 if is_strict else 1)
        self.set_up(1 + (2 * cells if is_strict else cells), max_keys, share_overflow, clock_ns)
        self.window_us, self.older, self.cell_us, self._limit = window, older, cell, quota
        self.strict, self.cells = is_strict, cells
        self.unit = 1 if is_strict else cell
        self.share = (quota + cells - 1) // cells
        self.fresh(self.overflow, 0)

    @property
    def limit(self):
        """The most that a window grants."""
        return self._limit

    def set_limit(self, limit):
        """Put another limit in force; what was granted stays counted."""
        self._limit = plain_limit(limit, MAX_UNITS // self.cell_us)
        self.share = (self._limit + self.cells - 1) // self.cells

    cdef void fresh(self, int64_t *row, int64_t now) noexcept:
        memset(row, 0, self.width * sizeof(int64_t))
        row[0] = now if self.strict else (now + self.shift_us) // self.cell_us

    cdef bint fits(self, int64_t cost) noexcept:
        return cost <= self._limit

    cdef void age(self, int64_t *cells, int64_t behind) noexcept:
        memmove(cells + behind, cells, (self.cells - behind) * sizeof(int64_t))
        memset(cells, 0, behind * sizeof(int64_t))

    cdef void count(self, int64_t *row, int64_t cost, int64_t now) noexcept:
        if self.strict:
            self.open_cell(row, cost, now)
            row[1 + self.cells] = now
        else:
            self.move_on(row, now)
        row[1] += cost

    cdef void move_on(self, int64_t *row, int64_t now) noexcept:
        cdef int64_t index = (now + self.shift_us) // self.cell_us
        cdef int64_t behind = min(index - row[0], self.cells)
        if behind > 0:
            self.age(row + 1, behind)
            row[0] = index

    cdef void open_cell(self, int64_t *row, int64_t cost, int64_t now) noexcept:
        cdef int64_t *counts = row + 1
        cdef int64_t *lasts = counts + self.cells
        cdef int oldest = self.cells - 1
        if counts[0] == 0:
            row[0] = now
            return
        # What comes at one instant leaves at one, so it needs no second cell.
        if lasts[0] == now:
            return
        if now - row[0] < self.cell_us and counts[0] + cost <= self.share:
            return
        if counts[oldest] == 0 or lasts[oldest] <= now - self.window_us:
            self.age(counts, 1)
            self.age(lasts, 1)
            row[0] = now

    cdef void give_back(self, int64_t *row, int64_t cost, int64_t now) noexcept:
        cdef int64_t back
        cdef int i
        for i in range(1, 1 + self.cells):
            back = min(cost, row[i])
            row[i] -= back
            cost -= back

    cdef void save(self, int64_t *row, int64_t now, int64_t *into) noexcept:
        cdef int i
        cdef int cells = self.cells
        into[0] = now - row[0]
        if not self.strict:
            into[0] = now + self.shift_us - row[0] * self.cell_us
        for i in range(1, 1 + cells):
            into[i] = row[i]
            if self.strict:
                into[i + cells] = now - row[i + cells] if row[i] else 0

    cdef bint restore(self, int64_t *row, const int64_t *saved, int64_t now) noexcept:
        cdef int i
        cdef int cells = self.cells
        cdef int64_t most = 2 * MAX_UNITS // self.cell_us
        cdef int64_t total = 0
        cdef int64_t start
        if not 0 <= saved[0] <= MAX_UNITS:
            return False
        for i in range(1 + cells, self.width):
            if not 0 <= saved[i] <= MAX_UNITS:
                return False
            row[i] = now - saved[i]
        for i in range(1, 1 + cells):
            if not 0 <= saved[i] <= most - total:
                return False
            row[i] = saved[i]
            total += saved[i]
        start = now - saved[0]
        if self.strict:
            row[0] = start
            return True
        # The first row sets the grid, the others must agree with it.
        if self.table.count == 1:
            self.shift_us = -start % self.cell_us
            if self.shift_us < 0:
                self.shift_us += self.cell_us
        if (start + self.shift_us) % self.cell_us:
            return False
        row[0] = (start + self.shift_us) // self.cell_us
        return True

    cdef int64_t used(self, const int64_t *row, int64_t now) noexcept:
        """Grants in the window, in 1/unit."""
        cdef int64_t opened, time_us, leaving, part_us
        cdef const int64_t *lasts = row + 1 + self.cells
        cdef int64_t used = 0
        cdef int i
        if self.strict:
            opened = now - self.window_us
            for i in range(self.cells):
                if lasts[i] > opened:
                    used += row[1 + i]
            return used
        time_us = now + self.shift_us
        leaving = self.older - (time_us // self.cell_us - row[0])
        if leaving < 0:
            return 0
        for i in range(leaving):
            used += row[1 + i]
        part_us = self.cell_us - time_us % self.cell_us
        return used * self.cell_us + row[1 + leaving] * part_us

    cdef bint idle(self, int64_t *row, int64_t now) noexcept:
        return self.used(row, now) == 0

    cdef bint take(self, int64_t *row, int64_t cost, int64_t now) noexcept:
        if cost > self._limit:
            return False
        if cost * self.unit > self._limit * self.unit - self.used(row, now):
            return False
        self.count(row, cost, now)
        return True

    cdef void read(self, int64_t *row, int64_t cost, int64_t now, Reading *into) noexcept:
        cdef int64_t room = self._limit * self.unit - self.used(row, now)
        into.binding, into.left = 0, max(room, 0) // self.unit
        into.retry_us = -1
        if cost <= self._limit:
            into.retry_us = 0 if cost * self.unit <= room else self.wait(row, cost, now)
        into.reset_us = self.rest(row, now)

    cdef int64_t rest(self, const int64_t *row, int64_t now) noexcept:
        """Microseconds until nothing is in the window any more."""
        cdef int64_t over
        cdef int i
        for i in range(self.cells):
            if row[1 + i] and self.strict:
                return max(row[1 + self.cells + i] + self.window_us - now, 0)
            if row[1 + i]:
                over = (row[0] - i + self.older + 1) * self.cell_us
                return max(over - (now + self.shift_us), 0)
        return 0

    cdef int64_t wait(self, const int64_t *row, int64_t cost, int64_t now) noexcept:
        """Microseconds until a refused cost fits, if nothing else is granted until then."""
        if self.strict:
            return self.wait_strict(row, cost, now)
        return self.wait_interpolated(row, cost, now)

    cdef int64_t wait_strict(self, const int64_t *row, int64_t cost, int64_t now) noexcept:
        """Cell by cell leaves the window with its last grant, the oldest first."""
        cdef int64_t used = self.used(row, now)
        cdef const int64_t *lasts = row + 1 + self.cells
        cdef int64_t leaves_us = 0
        cdef int i
        for i in range(self.cells - 1, -1, -1):
            if used + cost <= self._limit:
                break
            if lasts[i] > now - self.window_us:
                used -= row[1 + i]
                leaves_us = lasts[i] + self.window_us - now
        return leaves_us

    cdef int64_t wait_interpolated(self, const int64_t *row, int64_t cost,
                                   int64_t now) noexcept:
        """Cell by cell leaves the window, each evenly over the width of a cell."""
        cdef int64_t time_us = now + self.shift_us
        cdef int64_t index = time_us // self.cell_us
        cdef int64_t leaving, whole, oldest, spare, stay_us
        cdef int i
        while True:
            # While `index` is the present cell, `oldest` is leaving.
            leaving = self.older - (index - row[0])
            whole = 0
            for i in range(leaving):
                whole += row[1 + i]
            oldest = row[1 + leaving] if leaving >= 0 else 0
            spare = self._limit - cost - whole
            if spare >= 0:
                stay_us = spare * self.cell_us // oldest if oldest else self.cell_us
                return max(
                    index * self.cell_us + max(self.cell_us - stay_us, 0) - time_us, 0
                )
            index += 1

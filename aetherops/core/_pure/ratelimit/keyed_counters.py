# Twin: ext/aetherops/core/_native/ratelimit/keyed_counters.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Counters by key in bounded memory."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable
from threading import RLock
from typing import Any

from aetherops.core._pure.forked_locks import renew_lock_after_fork
from aetherops.core.counter_input import (
    plain_cost,
    plain_costs,
    plain_instant,
    plain_key,
    plain_keys,
    plain_max_keys,
    plain_reading,
    plain_rows,
)
from aetherops.errors import InvalidInputError

__all__ = ["KeyedCounters"]

_SWEPT_ON_ENTRY = 2
_SWEPT_WHEN_FULL = 64
_RETRY_WHEN_FULL_US = 1_000_000

_ALL = slice(None)  # made here: what allocates may collect garbage, and so run anything


def _checked(clock_ns: Callable[[], int]) -> Callable[[], int]:
    """The clock, whose readings are whole numbers; the system's own are anyway."""
    return lambda: plain_reading(clock_ns())


class KeyedCounters(ABC):
    """A table of counters, one entry a key, that never holds more than ``max_keys``.

    An entry that is idle (a full bucket, an empty window) answers as an absent key does, so it
    may be dropped: each new key sweeps two slots, and 64 when the table is full. Where that
    frees none, a new key is refused, or shares one overflow entry with all others that found
    no room.

    The table's clock never runs back: an instant before the latest one seen counts as that one.
    A refused decision changes nothing but the clock.

    Parameters
    ----------
    width : how many integers a key's row has in ``dump``.
    max_keys : the most keys that are kept.
    share_overflow : new keys share one entry when no room is left, instead of being refused.
    clock_ns : a monotonic clock in nanoseconds, read where no instant is given.
    """

    # Where CPython looks for signals (after a call, and where a loop turns) a handler may raise or
    # decide; so may a finaliser, and a clock that asks the table. So the lock is taken by `with`,
    # which it does not look inside of while it enters and leaves a lock, and may be taken again. A
    # decision is made on a copy of its entry and written last, by statements that neither call nor
    # allocate, if nothing has changed since; otherwise it is made again.

    # An entry is a list: its slot, then what the kind of counter keeps. Slot -1 is the overflow.
    _entries: dict[str | int, list[Any]]

    def __init__(
        self,
        width: int,
        max_keys: int = 1_000_000,
        share_overflow: bool = False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._width = width
        self._max_keys = plain_max_keys(max_keys)
        self._share_overflow = bool(share_overflow)
        self._clock_ns = clock_ns if clock_ns is time.monotonic_ns else _checked(clock_ns)
        self._lock = RLock()
        self._entries = {}
        self._slots: list[str | int] = []
        self._hand = 0
        self._latest_us = 0
        self._shift_us = 0  # from an instant to its place on a kind's grid, kept across `load`
        self._loading_shift_us = 0
        self._granted = 0
        self._refused = 0
        self._changes = 0  # of the table other than grants
        self._overflow = self._fresh(-1, 0)
        renew_lock_after_fork(self)

    # What each kind of counter defines.

    @abstractmethod
    def _fresh(self, slot: int, now: int) -> list[Any]:
        """The entry of a key that has not been seen."""

    @abstractmethod
    def _fits(self, cost: int) -> bool:
        """Whether a fresh entry could grant this cost."""

    @abstractmethod
    def _take(self, entry: list[Any], cost: int, now: int) -> bool:
        """Take the cost from a copy of an entry; False where it is not there."""

    @abstractmethod
    def _idle(self, entry: list[Any], now: int) -> bool:
        """Whether the entry answers as a fresh one would, now and ever after."""

    @abstractmethod
    def _give_back(self, entry: list[Any], cost: int, now: int) -> None:
        """Return what was taken to a copy of an entry, never beyond a fresh one."""

    @abstractmethod
    def _read(self, entry: list[Any], cost: int, now: int) -> tuple[int, int, int, int]:
        """(limit that binds, remaining, µs until the cost fits or -1, µs until idle)."""

    @abstractmethod
    def _row(self, entry: list[Any], now: int) -> list[int]:
        """The entry as integers, its instants as ages."""

    @abstractmethod
    def _entry(self, slot: int, row: list[int], now: int) -> list[Any] | None:
        """The entry of a row saved at ``now``, or None where this table could not hold it."""

    # Decisions.

    def allow(self, key: str | int, cost: int = 1, now_us: int | None = None) -> bool:
        """Take ``cost`` from ``key`` if it is there.

        Parameters
        ----------
        key : text, or an integer of 64 bits.
        cost : from 1; one above the limit is never granted.
        now_us : the instant in microseconds of the caller's clock; read from ``clock_ns``
            inside the lock where it is not given.

        Raises
        ------
        InvalidInputError
            A key, cost or instant of another kind.
        """
        key = plain_key(key)
        cost = plain_cost(cost)
        with self._lock:
            now = self._instant(now_us)
            return self._grant(key, cost, now)

    def admit(
        self, key: str | int, cost: int = 1, now_us: int | None = None
    ) -> tuple[bool, int, int, int, int, bool]:
        """As ``allow``, with the reading after it.

        Returns
        -------
        (granted, index of the limit that binds, whole units remaining, µs until the cost can be
        granted (0 where it was, -1 for never), µs until the key is as if never seen, whether it
        was refused for want of room)
        """
        key = plain_key(key)
        cost = plain_cost(cost)
        with self._lock:
            now = self._instant(now_us)
            granted = self._grant(key, cost, now)
            entry = self._entries.get(key)
            if entry is None:
                if self._fits(cost) and not self._share_overflow:
                    return False, 0, 0, _RETRY_WHEN_FULL_US, _RETRY_WHEN_FULL_US, True
                entry = self._overflow if self._fits(cost) else self._fresh(-1, now)
            return granted, *self._reading_of(entry, 0 if granted else cost, now), False

    def inspect(
        self, key: str | int, cost: int = 1, now_us: int | None = None
    ) -> tuple[bool, int, int, int, int, bool]:
        """What ``admit`` would say of a key, taking nothing.

        An absent key reads as fresh, and ``now_us`` may lie ahead: the clock is not moved.
        """
        key = plain_key(key)
        cost = plain_cost(cost)
        with self._lock:
            now = max(self._reading(now_us), self._latest_us)
            entry = self._entries.get(key)
            if entry is None:
                entry = self._fresh(-1, now)
            limit, remaining, retry_us, reset_us = self._reading_of(entry, cost, now)
            return retry_us == 0, limit, remaining, retry_us, reset_us, False

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
        plain = plain_keys(keys)
        prices = plain_costs(costs, len(plain))
        granted = bytearray(len(plain))
        with self._lock:
            now = self._instant(now_us)
            grant = self._grant
            for i, key in enumerate(plain):
                granted[i] = grant(key, prices[i], now)
        return granted

    def refund(self, key: str | int, cost: int = 1, now_us: int | None = None) -> None:
        """Give back what was granted and not used; never more than the key can hold."""
        key = plain_key(key)
        cost = plain_cost(cost)
        with self._lock:
            self._instant(now_us)
            while True:
                seen = self._granted + self._changes
                entry = self._entries.get(key)
                if entry is None:
                    return
                held, now = entry[_ALL], self._latest_us
                self._give_back(held, cost, now)
                if seen == self._granted + self._changes:
                    self._changes += 1
                    entry[_ALL] = held
                    return

    def reset(self, key: str | int) -> None:
        """Forget a key: its next decision is that of a new one."""
        key = plain_key(key)
        with self._lock:
            while key in self._entries:
                seen = self._granted + self._changes
                self._remove(self._entries[key][0], seen)

    def clear(self) -> None:
        """Forget every key."""
        with self._lock:
            overflow = self._fresh(-1, self._latest_us)
            self._changes += 1
            self._entries, self._slots, self._hand = {}, [], 0
            self._overflow = overflow

    # Readings.

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, key: object) -> bool:
        try:
            return plain_key(key) in self._entries
        except InvalidInputError:
            return False

    def keys(self) -> list[str | int]:
        """The keys that are kept, in the table's order."""
        with self._lock:
            return list(self._slots)

    def remainders(self, now_us: int | None = None) -> tuple[list[str | int], array[int]]:
        """The keys that are kept, and as int64 what each could still be granted at once."""
        with self._lock:
            now = max(self._reading(now_us), self._latest_us)
            left = array("q")
            kept = self._kept()
            for entry in kept.values():
                left.append(self._reading_of(entry, 1, now)[1])
            return list(kept), left

    @property
    def max_keys(self) -> int:
        """The most keys that are kept."""
        return self._max_keys

    @property
    def granted_total(self) -> int:
        """Decisions granted since construction."""
        return self._granted

    @property
    def refused_total(self) -> int:
        """Decisions refused since construction."""
        return self._refused

    # State.

    @property
    def row_width(self) -> int:
        """How many integers a key's row has in ``dump``."""
        return self._width

    def dump(self, now_us: int | None = None) -> tuple[list[str | int], bytes]:
        """All that is kept: the keys, and for each a row of int64 in native order.

        Rows hold ages, not instants, so they mean the same under another clock.
        """
        with self._lock:
            now = self._instant(now_us)
            rows = array("q")
            kept = self._kept()
            now = self._latest_us
            for entry in kept.values():
                rows.extend(self._row(entry, now))
            return list(kept), rows.tobytes()

    def load(
        self,
        keys: object,
        rows: object,
        elapsed_us: int = 0,
        now_us: int | None = None,
    ) -> None:
        """Replace all that is kept by what ``dump`` gave ``elapsed_us`` ago.

        Parameters
        ----------
        keys : as ``dump`` gave them.
        rows : a buffer of as many rows of int64 in native order.
        elapsed_us : the microseconds since; they age every row.
        now_us : as in ``allow``.

        Raises
        ------
        InvalidInputError
            The rows are not such as ``dump`` gives, or the keys are repeated or too many.
        """
        plain = plain_keys(keys)
        elapsed_us = plain_instant(elapsed_us)
        now = self._reading(now_us)
        if len(plain) > self._max_keys:
            raise InvalidInputError("keys", len(plain), f"at most {self._max_keys} keys")
        numbers = array("q", plain_rows(rows, self._width, len(plain)))
        with self._lock:
            self._loading_shift_us = self._shift_us
            entries = self._loaded(plain, numbers, now - elapsed_us)
            overflow = self._fresh(-1, now)
            self._changes += 1
            self._shift_us = self._loading_shift_us
            self._entries, self._slots, self._hand = entries, plain, 0
            self._latest_us, self._overflow = now, overflow

    # The table.

    def _loaded(
        self, keys: list[str | int], numbers: array[int], now: int
    ) -> dict[str | int, list[Any]]:
        """The entries of rows that were saved at ``now``."""
        width = self._width
        entries: dict[str | int, list[Any]] = {}
        for slot, key in enumerate(keys):
            row = numbers[slot * width : (slot + 1) * width].tolist()
            entry = self._entry(slot, row, now)
            if key in entries or entry is None:
                raise InvalidInputError("rows", key, "one row a key, within the limits")
            entries[key] = entry
        return entries

    def _reading(self, now_us: int | None) -> int:
        """The caller's instant, or the clock's."""
        if now_us is None:
            return self._clock_ns() // 1000
        return plain_instant(now_us)

    def _instant(self, now_us: int | None) -> int:
        """The table's time of this call, never before the latest one."""
        now = self._reading(now_us)
        if now < self._latest_us:
            return self._latest_us
        self._latest_us = now
        return now

    def _grant(
        self,
        key: str | int,
        cost: int,
        now: int,
        take: Callable[[list[Any], int, int], bool] | None = None,
    ) -> bool:
        """Whether the cost was taken; ``take`` does it in the place of ``_take``."""
        take = take or self._take
        if key not in self._entries and self._fits(cost):
            self._make_room(now)
        while True:
            seen = self._granted + self._changes
            entry = self._found(key, cost, now)
            if entry is None:
                break
            held = entry[_ALL]
            if now < self._latest_us:
                now = self._latest_us
            if not take(held, cost, now):
                break
            new = (key,)
            if seen == self._granted + self._changes:
                entry[_ALL] = held
                if key not in self._entries and entry is not self._overflow:
                    self._entries[key] = entry
                    self._slots += new
                self._granted += 1
                return True
        self._refused += 1
        return False

    def _found(self, key: str | int, cost: int, now: int) -> list[Any] | None:
        """The entry of a key, or a fresh one to be kept, or None where none can grant the cost."""
        entry = self._entries.get(key)
        if entry is not None or not self._fits(cost):
            return entry
        slot = len(self._slots)
        if slot < self._max_keys:
            return self._fresh(slot, now)
        return self._overflow if self._share_overflow else None

    def _make_room(self, now: int) -> None:
        self._sweep(_SWEPT_ON_ENTRY, now)
        if len(self._slots) >= self._max_keys:
            self._sweep(_SWEPT_WHEN_FULL, now)

    def _sweep(self, slots: int, now: int) -> None:
        """Look at the next few slots and drop what is idle."""
        for _ in range(min(slots, len(self._slots))):
            seen = self._granted + self._changes
            hand = self._hand if self._hand < len(self._slots) else 0
            if seen != self._granted + self._changes:
                continue
            held = self._entries[self._slots[hand]][_ALL]
            idle = self._idle(held, max(now, self._latest_us))
            self._hand = hand if idle else hand + 1
            if idle:
                self._remove(hand, seen)

    def _remove(self, slot: int, seen: int) -> None:
        """Drop the entry of a slot if nothing has changed; the last entry takes its place."""
        if seen != self._granted + self._changes:
            return
        entries, slots = self._entries, self._slots
        key, last = slots[slot], slots[-1]
        self._changes += 1
        entries[last][0] = slot
        slots[slot] = last
        del slots[-1], entries[key]

    def _kept(self) -> dict[str | int, list[Any]]:
        """A copy of each entry, in the table's order."""
        kept = {}
        for key in self._slots[_ALL]:
            entry = self._entries.get(key)
            if entry is not None:
                kept[key] = entry[_ALL]
        return kept

    def _reading_of(self, entry: list[Any], cost: int, now: int) -> tuple[int, int, int, int]:
        held = entry[_ALL]
        if now < self._latest_us:
            now = self._latest_us
        return self._read(held, cost, now)

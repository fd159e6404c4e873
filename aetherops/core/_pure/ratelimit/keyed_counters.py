# Twin: ext/aetherops/core/_native/ratelimit/keyed_counters.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Counters by key in bounded memory."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable
from threading import Lock
from typing import Any

from aetherops.core.counter_input import (
    plain_cost,
    plain_costs,
    plain_instant,
    plain_key,
    plain_keys,
    plain_max_keys,
    plain_rows,
)
from aetherops.errors import InvalidInputError

__all__ = ["KeyedCounters"]

_SWEPT_ON_ENTRY = 2
_SWEPT_WHEN_FULL = 64
_RETRY_WHEN_FULL_US = 1_000_000


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

    # A signal handler may raise wherever CPython looks for signals: after a call, and where a loop
    # turns. So the lock is taken by `with`, which it does not look inside of while it enters and
    # leaves a lock; and what belongs together is written last, by statements without a call.

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
        self._share_overflow = share_overflow
        self._clock_ns = clock_ns
        self._lock = Lock()
        self._entries = {}
        self._slots: list[str | int] = []
        self._hand = 0
        self._latest_us = 0
        self._shift_us = 0  # from an instant to its place on a kind's grid, kept across `load`
        self._granted = 0
        self._refused = 0
        self._overflow = self._fresh(-1, 0)

    # What each kind of counter defines.

    @abstractmethod
    def _fresh(self, slot: int, now: int) -> list[Any]:
        """The entry of a key that has not been seen."""

    @abstractmethod
    def _fits(self, cost: int) -> bool:
        """Whether a fresh entry could grant this cost."""

    @abstractmethod
    def _take(self, entry: list[Any], cost: int, now: int) -> bool:
        """Take the cost if it is there; leave the entry as it is if not."""

    @abstractmethod
    def _idle(self, entry: list[Any], now: int) -> bool:
        """Whether the entry answers as a fresh one would, now and ever after."""

    @abstractmethod
    def _give_back(self, entry: list[Any], cost: int, now: int) -> None:
        """Return what was taken, never beyond a fresh entry."""

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
            return granted, *self._read(entry, 0 if granted else cost, now), False

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
            limit, remaining, retry_us, reset_us = self._read(entry, cost, now)
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
            now = self._instant(now_us)
            entry = self._entries.get(key)
            if entry is not None:
                self._give_back(entry, cost, now)

    def reset(self, key: str | int) -> None:
        """Forget a key: its next decision is that of a new one."""
        key = plain_key(key)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._remove(entry[0])

    def clear(self) -> None:
        """Forget every key."""
        with self._lock:
            overflow = self._fresh(-1, self._latest_us)
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
            for key in self._slots:
                left.append(self._read(self._entries[key], 1, now)[1])
            return list(self._slots), left

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
            for key in self._slots:
                rows.extend(self._row(self._entries[key], now))
            return list(self._slots), rows.tobytes()

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
            shift_us = self._shift_us
            try:
                entries = self._loaded(plain, numbers, now - elapsed_us)
                overflow = self._fresh(-1, now)
            except BaseException:
                self._shift_us = shift_us
                raise
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

    def _grant(self, key: str | int, cost: int, now: int) -> bool:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._enter(key, cost, now)
        if entry is not None and self._take(entry, cost, now):
            self._granted += 1
            return True
        self._refused += 1
        return False

    def _enter(self, key: str | int, cost: int, now: int) -> list[Any] | None:
        """The entry of a new key, or None where its cost never fits or no room is left."""
        if not self._fits(cost):
            return None
        if self._make_room(now):
            entry = self._fresh(len(self._slots), now)
            self._entries[key] = entry
            self._slots += (key,)
            return entry
        return self._overflow if self._share_overflow else None

    def _make_room(self, now: int) -> bool:
        self._sweep(_SWEPT_ON_ENTRY, now)
        if len(self._slots) < self._max_keys:
            return True
        self._sweep(_SWEPT_WHEN_FULL, now)
        return len(self._slots) < self._max_keys

    def _sweep(self, slots: int, now: int) -> None:
        """Look at the next few slots and drop what is idle."""
        for _ in range(min(slots, len(self._slots))):
            if self._hand >= len(self._slots):
                self._hand = 0
            if self._idle(self._entries[self._slots[self._hand]], now):
                self._remove(self._hand)
            else:
                self._hand += 1

    def _remove(self, slot: int) -> None:
        """Drop the entry of a slot; the last entry takes its place."""
        entries, slots = self._entries, self._slots
        key, last = slots[slot], slots[-1]
        entries[last][0] = slot
        slots[slot] = last
        del slots[-1], entries[key]

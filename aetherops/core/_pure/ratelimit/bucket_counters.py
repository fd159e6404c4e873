# Twin: ext/aetherops/core/_native/ratelimit/bucket_counters.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Token buckets by key, counted in exact integer units."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from aetherops.core._pure.ratelimit.keyed_counters import KeyedCounters
from aetherops.core.counter_input import (
    MAX_UNITS,
    plain_cost,
    plain_key,
    plain_max_wait,
    plain_tiers,
)

__all__ = ["BucketCounters"]

_ONE = 1
_STAMP = 1
_CREDIT = 2

_Tier: TypeAlias = tuple[int, int, int, int]  # gain, price, capacity, span


class BucketCounters(KeyedCounters):
    """Token buckets counted in exact integer units.

    A tier adds ``gain`` units a microsecond up to ``capacity``, and a token costs ``price``
    units, so a rate of gain/price tokens a microsecond is kept without any rounding. With
    several tiers a decision takes from all of them or from none.

    Parameters
    ----------
    tiers : (gain, price, capacity) of each limit; capacity at least one token, all at most 2⁶⁰.
    max_keys, share_overflow, clock_ns : as in ``KeyedCounters``.

    Raises
    ------
    InvalidInputError
        No tier, or one outside those bounds.
    """

    # An entry: slot, stamp, then the credit of each tier at the stamp; negative while reserved.

    def __init__(
        self,
        tiers: Sequence[tuple[int, int, int]],
        max_keys: int = 1_000_000,
        share_overflow: bool = False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._tiers = _spanned(plain_tiers(tiers))
        self._largest_cost = _largest_cost(self._tiers)
        super().__init__(1 + len(self._tiers), max_keys, share_overflow, clock_ns)
        self._is_tiered = len(self._tiers) > 1
        self._at_hand = self._tiers[0][:3]  # what `allow` needs of one tier

    @property
    def tiers(self) -> tuple[tuple[int, int, int], ...]:
        """(gain, price, capacity) of each limit."""
        return tuple((gain, price, capacity) for gain, price, capacity, _ in self._tiers)

    def allow(self, key: str | int, cost: int = 1, now_us: int | None = None) -> bool:
        if key.__class__ is not str or cost is not _ONE or now_us is not None or self._is_tiered:
            return KeyedCounters.allow(self, key, cost, now_us)
        # `_grant` of one token of one tier, written out: calls would cost more than they do.
        with self._lock:
            now = self._clock_ns() // 1000
            # Read after the clock, which may have changed the limits; no call from here on.
            gain, price, capacity = self._at_hand
            if now > self._latest_us:
                self._latest_us = now
            else:
                now = self._latest_us
            try:
                entry = self._entries[key]
            except KeyError:
                return self._grant(key, cost, now)
            # No `span`: here no product is too large, and what is above the capacity is cut off.
            credit = entry[2] + (now - entry[1]) * gain
            if credit > capacity:
                credit = capacity  # which is a token at least
            elif credit < price:
                self._refused += 1
                return False
            entry[1] = now
            entry[2] = credit - price
            self._granted += 1
            return True

    def reserve(
        self, key: str | int, cost: int, max_wait_us: int, now_us: int | None = None
    ) -> int:
        """Take ``cost`` now or from the tokens to come.

        Reservations of a key stand in line: each waits for those before it, whatever its size.

        Returns
        -------
        Microseconds to wait before the cost may be spent, or -1 where that is longer than
        ``max_wait_us``, or the cost exceeds the capacity, or there is no room; then nothing
        was taken.
        """
        key = plain_key(key)
        cost = plain_cost(cost)
        max_wait_us = plain_max_wait(max_wait_us)
        wait_us = -1

        def borrow(held: list[Any], cost: int, now: int) -> bool:
            nonlocal wait_us
            wait_us = self._borrow(held, cost, max_wait_us, now)
            return wait_us >= 0

        with self._lock:
            now = self._instant(now_us)
            granted = self._grant(key, cost, now, borrow)
        return wait_us if granted else -1

    def set_tiers(self, tiers: Sequence[tuple[int, int, int]], now_us: int | None = None) -> None:
        """Put other limits in force: each credit keeps its share of the capacity, rounded down.

        Raises
        ------
        InvalidInputError
            A tier out of bounds, or another number of tiers than before.
        """
        after = _spanned(plain_tiers(tiers, count=len(self._tiers)))
        largest_cost, at_hand = _largest_cost(after), after[0][:3]
        with self._lock:
            self._instant(now_us)
            seen = -1
            while seen != self._granted + self._changes:
                seen, before = self._granted + self._changes, self._entries.copy()
                now = self._latest_us
                entries = {key: self._rescaled(held, after, now) for key, held in before.items()}
                overflow = self._rescaled(self._overflow, after, now)
            self._changes += 1
            self._entries, self._overflow = entries, overflow
            self._tiers, self._largest_cost, self._at_hand = after, largest_cost, at_hand

    def _rescaled(self, entry: list[Any], tiers: list[_Tier], now: int) -> list[Any]:
        """The entry under other tiers, each credit with its share of the capacity."""
        held = self._credits(entry, now)
        for i, (_, _, capacity, _) in enumerate(self._tiers):
            held[i] = held[i] * tiers[i][2] // capacity
        return [entry[0], now, *held]

    def _fresh(self, slot: int, now: int) -> list[Any]:
        return [slot, now, *(capacity for _, _, capacity, _ in self._tiers)]

    def _fits(self, cost: int) -> bool:
        return cost <= self._largest_cost

    def _credit(self, entry: list[Any], tier: int, now: int) -> int:
        """The credit of a tier at ``now``."""
        gain, _, capacity, span = self._tiers[tier]
        credit: int = entry[_CREDIT + tier] + min(now - entry[_STAMP], span) * gain
        return min(credit, capacity)

    def _credits(self, entry: list[Any], now: int) -> list[int]:
        """The credit of each tier at ``now``."""
        return [self._credit(entry, i, now) for i in range(len(self._tiers))]

    def _take(self, entry: list[Any], cost: int, now: int) -> bool:
        if cost > self._largest_cost:
            return False
        left = []
        elapsed = now - entry[_STAMP]
        i = _CREDIT
        for gain, price, capacity, span in self._tiers:
            credit = entry[i] + (elapsed if elapsed < span else span) * gain
            credit = (credit if credit < capacity else capacity) - cost * price
            if credit < 0:
                return False
            left.append(credit)
            i += 1
        entry[_STAMP:] = now, *left
        return True

    def _borrow(self, entry: list[Any], cost: int, max_wait_us: int, now: int) -> int:
        if cost > self._largest_cost:
            return -1
        wait_us = 0
        left = self._credits(entry, now)
        for i, (gain, price, _, _) in enumerate(self._tiers):
            left[i] -= cost * price
            if left[i] < -MAX_UNITS:
                return -1
            wait_us = max(wait_us, -(left[i] // gain))
        if wait_us > max_wait_us:
            return -1
        entry[_STAMP:] = now, *left
        return wait_us

    def _idle(self, entry: list[Any], now: int) -> bool:
        for i, (_, _, capacity, _) in enumerate(self._tiers):
            if self._credit(entry, i, now) < capacity:
                return False
        return True

    def _give_back(self, entry: list[Any], cost: int, now: int) -> None:
        cost = min(cost, self._largest_cost)
        held = self._credits(entry, now)
        for i, (_, price, capacity, _) in enumerate(self._tiers):
            held[i] = min(held[i] + cost * price, capacity)
        entry[_STAMP:] = now, *held

    def _read(self, entry: list[Any], cost: int, now: int) -> tuple[int, int, int, int]:
        """Of the tier with the longest wait, or where none waits, the one with least left."""
        binding, left, retry_us, reset_us = 0, 0, 0, 0
        for i, (gain, price, capacity, _) in enumerate(self._tiers):
            credit = self._credit(entry, i, now)
            remaining = max(credit, 0) // price
            wait_us = -1
            if cost <= capacity // price:
                wait_us = max(-((credit - cost * price) // gain), 0)
            tighter = remaining < left if wait_us == retry_us else _longer(wait_us, retry_us)
            if i == 0 or tighter:
                full_us = -((credit - capacity) // gain)
                binding, left, retry_us, reset_us = i, remaining, wait_us, full_us
        return binding, left, retry_us, reset_us

    def _row(self, entry: list[Any], now: int) -> list[int]:
        return [now - entry[_STAMP], *entry[_CREDIT:]]

    def _entry(self, slot: int, row: list[int], now: int) -> list[Any] | None:
        age, *held = row
        if not 0 <= age <= MAX_UNITS:
            return None
        for credit, (_, _, capacity, _) in zip(held, self._tiers, strict=True):
            if not -MAX_UNITS <= credit <= capacity:
                return None
        return [slot, now - age, *held]


def _spanned(tiers: list[tuple[int, int, int]]) -> list[_Tier]:
    """Each tier with the microseconds that count of it.

    They fill any bucket from its deepest debt, so credit + elapsed * gain stays within 64 bits.
    """
    return [(gain, price, capacity, 2 * MAX_UNITS // gain + 1) for gain, price, capacity in tiers]


def _largest_cost(tiers: list[_Tier]) -> int:
    """What every full bucket holds."""
    return min(capacity // price for _, price, capacity, _ in tiers)


def _longer(wait_us: int, other_us: int) -> bool:
    """Whether one wait outlasts the other; -1 is forever."""
    return other_us >= 0 and (wait_us < 0 or wait_us > other_us)

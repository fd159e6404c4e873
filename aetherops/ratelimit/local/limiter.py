"""What every limiter in this process offers over its counters."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

from aetherops.core import KeyedCounters, KeyedLimiter
from aetherops.core.counter_input import MAX_UNITS
from aetherops.errors import InvalidInputError
from aetherops.ratelimit.decision import Decision, Reason
from aetherops.ratelimit.limits import BucketLimit, WindowLimit, plain_factor
from aetherops.ratelimit.state import Limit, LimiterState

__all__ = ["KeyUsage", "LocalLimiter", "Snapshot"]

_NOMINAL_PERMILLE = 1000
_GRANTED = Reason.GRANTED
_new_tuple = tuple.__new__  # half the time of Decision(...)


class KeyUsage(NamedTuple):
    """How far a key has used its limit."""

    key: str | int
    limit: int
    remaining: int
    usage: float
    """From 0.0 to 1.0, rounded to 4 digits."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a dashboard shows of a limiter.

    ``granted_total`` and ``refused_total`` count from construction; ``top`` are the keys that
    have used most of their limit.
    """

    keys: int
    max_keys: int
    granted_total: int
    refused_total: int
    factor_permille: int
    top: tuple[KeyUsage, ...]


class LocalLimiter(KeyedLimiter, ABC):
    """A limiter whose counters are in this process.

    It never waits, so threads and tasks use the same object. The quickest way in is ``allow``;
    ``decide`` says more.

    Parameters
    ----------
    counters : decide and keep the counts.
    limits : what they enforce.
    """

    _counters: KeyedCounters

    def __init__(self, counters: KeyedCounters, limits: Sequence[Limit]) -> None:
        super().__init__(counters)
        self._counters = counters
        self._factor_permille = _NOMINAL_PERMILLE
        self._keep(limits, limits)

    def _keep(self, nominal: Sequence[Limit], in_force: Sequence[Limit]) -> None:
        """Remember which limits the counters enforce."""
        self._nominal, self._limits = tuple(nominal), tuple(in_force)
        self._quotas = tuple(limit.quota for limit in in_force)

    @abstractmethod
    def _enforce(self, limits: Sequence[Limit], now_us: int | None) -> None:
        """Put limits in force on the counters."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits in force."""
        return self._limits

    @property
    def nominal_limits(self) -> tuple[Limit, ...]:
        """The limits at a factor of 1."""
        return self._nominal

    def decide(self, key: str | int, cost: int = 1, now_us: int | None = None) -> Decision:
        """As ``allow``, and say what remains and when to come again."""
        granted, binding, left, retry_us, reset_us, no_room = self._counters.admit(
            key, cost, now_us
        )
        if granted:
            return _new_tuple(Decision, (True, self._quotas[binding], left, 0, reset_us, _GRANTED))
        return self._refusal(binding, left, retry_us, reset_us, no_room)

    def peek(self, key: str | int, cost: int = 1, now_us: int | None = None) -> Decision:
        """What ``decide`` would say, taking nothing."""
        granted, binding, left, retry_us, reset_us, _ = self._counters.inspect(key, cost, now_us)
        if granted:
            return Decision(True, self._quotas[binding], left, 0, reset_us, Reason.GRANTED)
        return self._refusal(binding, left, retry_us, reset_us, no_room=False)

    def retry_after(self, key: str | int, cost: int = 1, now_us: int | None = None) -> float | None:
        """Seconds until ``cost`` could be granted: 0.0 for now, None for never."""
        return self.peek(key, cost, now_us).retry_after_s

    def usage(self, key: str | int, now_us: int | None = None) -> float:
        """The used share of a key's limit, from 0.0 to 1.0, rounded to 4 digits."""
        return self._usage_of(key, now_us).usage

    def snapshot(self, top: int = 10, now_us: int | None = None) -> Snapshot:
        """Totals and the ``top`` keys that have least left."""
        keys, left = self._counters.remainders(now_us)
        fullest = [keys[i] for i in nsmallest(top, range(len(keys)), key=left.__getitem__)]
        return Snapshot(
            keys=len(keys),
            max_keys=self.max_keys,
            granted_total=self.granted_total,
            refused_total=self.refused_total,
            factor_permille=self._factor_permille,
            top=tuple(self._usage_of(key, now_us) for key in fullest),
        )

    def change(self, *limits: Limit, now_us: int | None = None) -> None:
        """Put other limits in force, of the same kind and number.

        A bucket keeps the share of its capacity that it holds; a window keeps what it has
        counted. Neither is refilled.

        Raises
        ------
        InvalidInputError
            Another kind, number, length or cut of windows than before.
        """
        self._check_kind(limits)
        in_force = self._scaled(limits, self._factor_permille)
        self._enforce(in_force, now_us)
        self._keep(limits, in_force)

    def scale(self, factor_permille: int, now_us: int | None = None) -> None:
        """Enforce the nominal limits times a factor in thousandths, as ``change`` would.

        Raises
        ------
        InvalidInputError
            The factor is below 1, or so fine a product of a bucket needs more than 60 bits.
        """
        factor_permille = plain_factor(factor_permille)
        in_force = self._scaled(self._nominal, factor_permille)
        self._enforce(in_force, now_us)
        self._keep(self._nominal, in_force)
        self._factor_permille = factor_permille

    def state(self, wall_us: int, now_us: int | None = None) -> LimiterState:
        """All that is kept, as a value to serialise.

        Parameters
        ----------
        wall_us : wall time now, microseconds since 1970.
        """
        if not abs(wall_us) < 2**63 or wall_us != int(wall_us):
            raise InvalidInputError("wall_us", wall_us, "microseconds of 64 bits")
        keys, rows = self._counters.dump(now_us)
        if sys.byteorder == "big":
            rows = _swapped(rows)
        return LimiterState(self._limits, wall_us, keys, self._counters.row_width, rows)

    def restore(self, state: LimiterState, wall_us: int, now_us: int | None = None) -> None:
        """Replace all that is kept by a saved state; the time since then is credited.

        A wall clock that was set back credits none. Limits that changed since are treated as
        ``change`` does.

        Raises
        ------
        InvalidInputError
            The state is of other kinds of limits, of more keys than ``max_keys``, or unsound;
            then nothing is restored.
        """
        self._check_kind(state.limits)
        if state.width != self._counters.row_width:
            raise InvalidInputError(
                "state.width", state.width, f"{self._counters.row_width} numbers a key"
            )
        rows = _swapped(state.rows) if sys.byteorder == "big" else state.rows
        away_us = min(max(wall_us - state.saved_us, 0), MAX_UNITS)
        in_force = self._limits
        self._enforce(state.limits, now_us)
        try:
            self._counters.load(state.keys, rows, away_us, now_us)
        finally:
            self._enforce(in_force, now_us)

    def _refusal(
        self, binding: int, left: int, retry_us: int, reset_us: int, no_room: bool
    ) -> Decision:
        reason = Reason.LIMIT if retry_us >= 0 else Reason.TOO_LARGE
        if no_room:
            reason = Reason.NO_ROOM
        retry = None if retry_us < 0 else retry_us
        return Decision(False, self._quotas[binding], left, retry, reset_us, reason)

    def _usage_of(self, key: str | int, now_us: int | None) -> KeyUsage:
        decision = self.peek(key, 1, now_us)
        used = (decision.limit - decision.remaining) / decision.limit
        return KeyUsage(key, decision.limit, decision.remaining, round(used, 4))

    def _scaled(self, limits: Sequence[Limit], factor_permille: int) -> tuple[Limit, ...]:
        if factor_permille == _NOMINAL_PERMILLE:
            return tuple(limits)
        return tuple(limit.scaled(factor_permille) for limit in limits)

    def _check_kind(self, limits: Sequence[Limit]) -> None:
        kinds = [_kind(limit) for limit in limits]
        own = [_kind(limit) for limit in self._limits]
        if kinds != own:
            raise InvalidInputError("limits", kinds, f"limits of the kinds {own}")


def _kind(limit: object) -> tuple[object, ...]:
    """What of a limit cannot change while it is in use."""
    if not isinstance(limit, BucketLimit | WindowLimit):
        raise InvalidInputError("limits", limit, "bucket or window limits")
    if isinstance(limit, WindowLimit):
        return str(limit.mode), limit.window_us, limit.window_count
    return ("bucket",)


def _swapped(rows: bytes) -> bytes:
    numbers = array("q", rows)
    numbers.byteswap()
    return numbers.tobytes()

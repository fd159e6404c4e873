"""A controller that fits limits to the load of a queue behind them.

Above a high utilization of the queue the factor on all limits is halved, again after each
cooldown. Below a low one it goes to the rate at which the queue was seen to drain, and from
there up step by step while the queue stays empty. Between the two it holds. A drain rate is
believed only if the queue was busy when it was measured: an idle consumer drains what arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from aetherops.errors import InvalidInputError

__all__ = ["FactorChange", "LoadController", "LoadPolicy", "LoadReading", "LoadReason"]

_NOMINAL = 1000
_LONGEST_COOLDOWN_US = 60_000_000


@dataclass(frozen=True, slots=True)
class LoadPolicy:
    """How limits answer to load. Factors are in thousandths of the nominal limits.

    Parameters
    ----------
    base_rate_per_s : what the limits together admit at a factor of 1, in the units that the
        queue counts; without it the measured drain rate is not used.
    high_utilization, low_utilization : where limits are halved and where they are relaxed.
    busy_utilization : from here on the queue counts as busy.
    floor_permille, ceiling_permille : bounds of the factor; a ceiling above 1000 lets the
        limits catch up beyond nominal.
    step_permille : what one reading of an empty queue adds.
    drain_share_permille : the share of the drain rate that is admitted while the queue is busy,
        so that it empties.
    cooldown_s : the least time between two halvings; the time in which the queue would drain
        counts where it is longer, up to a minute.
    stale_after_s : an older reading changes nothing.

    Raises
    ------
    InvalidInputError
        A value out of order: 0 <= busy <= low < high, 1 <= floor <= ceiling, others above 0.
    """

    base_rate_per_s: float | None = None
    high_utilization: float = 0.8
    low_utilization: float = 0.4
    busy_utilization: float = 0.05
    floor_permille: int = 50
    ceiling_permille: int = _NOMINAL
    step_permille: int = 10
    drain_share_permille: int = 995
    cooldown_s: float = 2.0
    stale_after_s: float = 5.0

    def __post_init__(self) -> None:
        if not 0 <= self.busy_utilization <= self.low_utilization < self.high_utilization:
            order = (self.busy_utilization, self.low_utilization, self.high_utilization)
            raise InvalidInputError("utilization", order, "0 <= busy <= low < high")
        if not 1 <= self.floor_permille <= self.ceiling_permille:
            raise InvalidInputError("floor_permille", self.floor_permille, "1 to the ceiling")
        for field in ("step_permille", "drain_share_permille", "cooldown_s", "stale_after_s"):
            if getattr(self, field) <= 0:
                raise InvalidInputError(field, getattr(self, field), "a number above 0")
        if self.base_rate_per_s is not None and self.base_rate_per_s <= 0:
            raise InvalidInputError("base_rate_per_s", self.base_rate_per_s, "a rate above 0")


@dataclass(frozen=True, slots=True)
class LoadReading:
    """The state of the queue at an instant of a monotonic clock.

    ``drained_per_s`` is what left the queue, a second, since the reading before; None where it
    was not measured.
    """

    at_us: int
    utilization: float
    queue_size: float = 0.0
    drained_per_s: float | None = None

    @classmethod
    def of(
        cls, health: Mapping[str, object], at_us: int, drained_per_s: float | None = None
    ) -> Self:
        """A reading from what ``aetherops.queue.queue_health`` gives."""
        utilization, size = health["utilization"], health["queue_size"]
        if not isinstance(utilization, (int, float)) or not isinstance(size, (int, float)):
            raise InvalidInputError("health", dict(health), "utilization and queue_size as numbers")
        return cls(at_us, utilization, size, drained_per_s)


class LoadReason(StrEnum):
    """Why the factor changed."""

    OVERLOAD = "overload"
    DRAIN_RATE = "drain_rate"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class FactorChange:
    """The event of another factor in force."""

    at_us: int
    before_permille: int
    after_permille: int
    utilization: float
    reason: LoadReason


class LoadController:
    """The control law as a state machine: readings in, changes out.

    Parameters
    ----------
    policy : thresholds, bounds and steps.
    """

    def __init__(self, policy: LoadPolicy | None = None) -> None:
        self._policy = policy or LoadPolicy()
        self._factor_permille = _NOMINAL
        self._cool_until_us = 0
        self._drain_per_s: float | None = None
        self._is_busy = False
        self._latest_us = 0

    @property
    def factor_permille(self) -> int:
        """The factor in force, in thousandths."""
        return self._factor_permille

    @property
    def drain_per_s(self) -> float | None:
        """The drain rate believed in: the mean of those while busy, newer ones weighing more."""
        return self._drain_per_s

    def observe(self, reading: LoadReading, now_us: int) -> FactorChange | None:
        """Take a reading in; say what changes.

        Readings are sampled regularly, once a second say. One that is stale, or not newer than
        the one before, changes nothing.
        """
        policy = self._policy
        stale = now_us - reading.at_us > policy.stale_after_s * 1e6
        if stale or reading.at_us <= self._latest_us:
            return None
        self._latest_us = reading.at_us
        self._learn(reading)
        if reading.utilization > policy.high_utilization:
            return self._halve(reading, now_us)
        if reading.utilization < policy.low_utilization:
            return self._relax(reading, now_us)
        return None

    def _learn(self, reading: LoadReading) -> None:
        """Believe a drain rate of a busy queue; what was true before it was idle may be no more."""
        was_busy = self._is_busy
        self._is_busy = reading.utilization >= self._policy.busy_utilization
        if reading.drained_per_s is None or not self._is_busy:
            return
        if self._drain_per_s is None or not was_busy:
            self._drain_per_s = reading.drained_per_s
        else:
            self._drain_per_s += (reading.drained_per_s - self._drain_per_s) / 4

    def _halve(self, reading: LoadReading, now_us: int) -> FactorChange | None:
        if now_us < self._cool_until_us:
            return None
        cooldown_us = round(self._policy.cooldown_s * 1e6)
        if self._drain_per_s:
            drain_us = round(reading.queue_size / self._drain_per_s * 1e6)
            cooldown_us = max(cooldown_us, min(drain_us, _LONGEST_COOLDOWN_US))
        self._cool_until_us = now_us + cooldown_us
        return self._move(self._factor_permille // 2, reading, now_us, LoadReason.OVERLOAD)

    def _relax(self, reading: LoadReading, now_us: int) -> FactorChange | None:
        policy = self._policy
        if self._drain_per_s is not None and policy.base_rate_per_s is not None:
            share = self._drain_per_s / policy.base_rate_per_s
            drain_permille = min(int(share * policy.drain_share_permille), _NOMINAL)
            if self._is_busy or self._factor_permille < drain_permille:
                return self._move(drain_permille, reading, now_us, LoadReason.DRAIN_RATE)
        stepped = self._factor_permille + policy.step_permille
        return self._move(stepped, reading, now_us, LoadReason.STEP)

    def _move(
        self, wanted_permille: int, reading: LoadReading, now_us: int, reason: LoadReason
    ) -> FactorChange | None:
        before = self._factor_permille
        after = min(
            max(wanted_permille, self._policy.floor_permille), self._policy.ceiling_permille
        )
        if after == before:
            return None
        self._factor_permille = after
        return FactorChange(now_us, before, after, reading.utilization, reason)

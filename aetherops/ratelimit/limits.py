"""What may be limited how: buckets and windows as plain values, checked once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from aetherops.core.counter_input import MAX_UNITS
from aetherops.errors import InvalidInputError
from aetherops.ratelimit.rate import Rate, require_whole

__all__ = [
    "BucketLimit",
    "WindowLimit",
    "WindowMode",
    "plain_factor",
    "seconds_to_us",
    "sliding_mode",
]

_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class BucketLimit:
    """A bucket of ``burst_capacity`` tokens, refilled at ``refill_rate``.

    In any time t it grants at most ``burst_capacity + refill_rate * t``.

    Parameters
    ----------
    burst_capacity : the tokens of a full bucket, and the most that one decision may cost.
    refill_rate : a ``Rate``.

    Raises
    ------
    InvalidInputError
        The capacity is no whole number from 1, or the two together need more than 60 bits of
        exact arithmetic: capacity times the microseconds of ``refill_rate.period_us``.
    """

    burst_capacity: int
    refill_rate: Rate

    def __post_init__(self) -> None:
        require_whole("burst_capacity", self.burst_capacity)
        if self.burst_capacity * self.refill_rate.period_us > MAX_UNITS:
            raise InvalidInputError(
                "burst_capacity",
                self.burst_capacity,
                f"at most {MAX_UNITS // self.refill_rate.period_us} at this rate",
            )

    @property
    def tier(self) -> tuple[int, int, int]:
        """(units gained a microsecond, units a token costs, units of a full bucket)."""
        price = self.refill_rate.period_us
        return self.refill_rate.tokens, price, self.burst_capacity * price

    @property
    def window_us(self) -> int:
        """Microseconds in which an empty bucket fills, rounded up."""
        gain, _, capacity = self.tier
        return -(-capacity // gain)

    @property
    def quota(self) -> int:
        """The most that is granted at once."""
        return self.burst_capacity

    def scaled(self, factor_permille: int) -> BucketLimit:
        """Capacity and rate times ``factor_permille`` thousandths; the capacity at least 1."""
        burst = max(self.burst_capacity * factor_permille // 1000, 1)
        return BucketLimit(burst, self.refill_rate.scaled(factor_permille))


class WindowMode(StrEnum):
    """How a window counts what was granted before its newest sub-window."""

    FIXED = "fixed"
    INTERPOLATED = "interpolated"
    STRICT = "strict"


@dataclass(frozen=True, slots=True)
class WindowLimit:
    """At most ``quota`` in a window.

    Parameters
    ----------
    quota : the most that a window grants.
    window_us : its length in microseconds.
    mode : fixed windows may let twice the quota pass across their ends; interpolated ones
        nearly so when requests are uneven; strict ones never more than the quota in any window.
    window_count : the overlapping sub-windows of a sliding mode, 1 to 64.

    Raises
    ------
    InvalidInputError
        The quota or the length is no whole number from 1, or the number of sub-windows is not
        from 1 to 64.
    """

    quota: int
    window_us: int
    mode: WindowMode = WindowMode.STRICT
    window_count: int = 8

    def __post_init__(self) -> None:
        require_whole("quota", self.quota)
        require_whole("window_us", self.window_us)
        if not 1 <= self.window_count <= 64:
            raise InvalidInputError("window_count", self.window_count, "1 to 64")

    def scaled(self, factor_permille: int) -> WindowLimit:
        """The quota times ``factor_permille`` thousandths, at least 1."""
        return replace(self, quota=max(self.quota * factor_permille // 1000, 1))


def plain_factor(factor_permille: object) -> int:
    """A factor of limits in thousandths: a whole number from 1."""
    if not isinstance(factor_permille, int) or factor_permille < 1:
        raise InvalidInputError("factor_permille", factor_permille, "a whole number from 1")
    return factor_permille


def seconds_to_us(seconds: float, field: str) -> int:
    """Whole microseconds of a positive number of seconds.

    Raises
    ------
    InvalidInputError
        It is not above 0, or less than a microsecond, or not finite.
    """
    if not 0 < seconds < MAX_UNITS // _SECOND_US:
        raise InvalidInputError(field, seconds, "seconds, above 0")
    us = round(seconds * _SECOND_US)
    if us < 1:
        raise InvalidInputError(field, seconds, "at least a microsecond")
    return us


def sliding_mode(mode: str) -> WindowMode:
    """The sliding mode of that name.

    Raises
    ------
    InvalidInputError
        There is none.
    """
    if mode not in (WindowMode.INTERPOLATED, WindowMode.STRICT):
        raise InvalidInputError("mode", mode, "interpolated or strict")
    return WindowMode(mode)

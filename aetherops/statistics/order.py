"""Statistics that ask where values stand among each other.

NaN stands nowhere in an order; with NaN among the values the answers say nothing.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from aetherops.errors import InvalidInputError
from aetherops.statistics.averages import plain_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["median", "nearest_rank", "percentile", "rolling_sla", "trimmed_mean"]


def nearest_rank(pct: float, count: int) -> int:
    """Which of `count` values in ascending order is their `pct` percentile: 1 to `count`.

    ``ceil(pct * count / 100)`` of the number as it is written, held between the first and the
    last: 55 % of 100 values is the 55th, as on paper, though the double nearest to 55 / 100 is
    a little more.

    Raises
    ------
    InvalidInputError
        `pct` is NaN, or `count` is below 1.
    """
    if math.isnan(pct):
        raise InvalidInputError("pct", pct, "a percentage")
    if count < 1:
        raise InvalidInputError("count", count, "at least one value")
    if pct <= 0:
        return 1
    if pct >= 100:
        return count
    return math.ceil(Fraction(repr(float(pct))) * count / 100)


def percentile(values: Iterable[float], pct: float) -> float:
    """Percentile by nearest rank: always one of the values, as a float, never between two.

    Parameters
    ----------
    values : in any order.
    pct : percent of the values that are at or below the answer; 0 and less ask for the
        smallest, 100 and more for the largest.

    Returns
    -------
    The value of rank `nearest_rank`, not rounded; 0.0 where there are none.

    Raises
    ------
    InvalidInputError
        `pct` is NaN (and there are values).
    """
    ascending = sorted(values)
    if not ascending:
        return 0.0
    return float(ascending[nearest_rank(pct, len(ascending)) - 1])


def median(values: Iterable[float]) -> float:
    """Middle value, or the mean of the middle two, rounded to 4; empty gives 0.0."""
    ascending = sorted(values)
    if not ascending:
        return 0.0
    lower = ascending[(len(ascending) - 1) // 2]
    upper = ascending[len(ascending) // 2]
    middle = (lower + upper) / 2
    # Of two that are finite the sum may not be; the sum of their halves is.
    return round(float(lower / 2 + upper / 2 if math.isinf(middle) else middle), 4)


def trimmed_mean(values: Iterable[float], trim_ratio: float = 0.1) -> float:
    """Mean without the extremes, rounded to 4; empty gives 0.0.

    Parameters
    ----------
    values : in any order.
    trim_ratio : share of the values dropped at EACH end, rounded down to whole values,
        in [0, 0.5).

    Raises
    ------
    InvalidInputError
        `trim_ratio` is outside [0, 0.5) (and there are values).
    """
    ascending = sorted(values)
    if not ascending:
        return 0.0
    if not 0 <= trim_ratio < 0.5:
        raise InvalidInputError("trim_ratio", trim_ratio, "a share from 0 to below 0.5")
    dropped = int(len(ascending) * trim_ratio)
    return round(plain_mean(ascending[dropped : len(ascending) - dropped]), 4)


def rolling_sla(latencies_ms: Iterable[float], objective_ms: float) -> float:
    """Share (0 to 1) of latencies at or below the objective, rounded to 4; empty gives 0.0."""
    met = total = 0
    for latency_ms in latencies_ms:
        total += 1
        met += bool(latency_ms <= objective_ms)
    return round(met / total, 4) if total else 0.0

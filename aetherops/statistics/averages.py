"""Means and deviations.

Sums run left to right, one rounding an addition, so that the last digit of an answer is the same
on every Python: the built-in ``sum`` compensates its rounding errors since 3.12. What is rounded to
digits is a plain float first: NumPy's scalars bring a rounding of their own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "exponential_decay_mean",
    "mean",
    "plain_mean",
    "plain_sum",
    "stddev",
    "unrounded_variance",
    "variance",
]


def plain_sum(values: Iterable[float]) -> float:
    """Sum from left to right; integers stay exact until a float joins them."""
    total: float = 0
    for value in values:
        total += value
    return total


def plain_mean(values: Sequence[float]) -> float:
    """`plain_sum` over the count, not rounded; 0.0 where there are none."""
    return float(plain_sum(values) / len(values)) if values else 0.0


def unrounded_variance(values: Sequence[float]) -> float:
    """Squares about the mean over ``n - 1``, in two passes; 0.0 below two values."""
    if len(values) < 2:
        return 0.0
    centre = plain_mean(values)
    squares = plain_sum((value - centre) * (value - centre) for value in values)
    return float(squares / (len(values) - 1))


def mean(values: Iterable[float]) -> float:
    """Arithmetic mean, rounded to 4; empty gives 0.0."""
    return round(plain_mean(list(values)), 4)


def variance(values: Iterable[float]) -> float:
    """Sample variance (divisor ``n - 1``), rounded to 4; below two values 0.0."""
    return round(unrounded_variance(list(values)), 4)


def stddev(values: Iterable[float]) -> float:
    """Root of the sample variance, rounded to 4; below two values 0.0.

    The root is taken of the variance before it is rounded, so that small deviations keep
    their digits.
    """
    return round(math.sqrt(unrounded_variance(list(values))), 4)


def exponential_decay_mean(values: Iterable[float], half_life: float = 5) -> float:
    """Mean in which the newest value weighs most, rounded to 4; empty gives 0.0.

    Parameters
    ----------
    values : oldest first. The last one has age 0, the one before it age 1, and so on.
    half_life : the age, counted in values, at which a value weighs half as much as the newest:
        its weight is ``0.5 ** (age / half_life)``.

    Raises
    ------
    InvalidInputError
        `half_life` is not above 0 (and there are values).
    """
    newest_last = list(values)
    if not newest_last:
        return 0.0
    if not half_life > 0:
        raise InvalidInputError("half_life", half_life, "a number of values above 0")
    ages = range(len(newest_last) - 1, -1, -1)
    weights = [0.5 ** (age / half_life) for age in ages]
    weighed = plain_sum(w * value for w, value in zip(weights, newest_last, strict=True))
    return round(float(weighed / plain_sum(weights)), 4)

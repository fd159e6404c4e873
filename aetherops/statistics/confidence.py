"""Confidence interval of a mean, on Student's t distribution.

The two-sided tail of t is a regularised incomplete beta function (NIST Digital Library of
Mathematical Functions, 8.17(i); Abramowitz and Stegun, 26.7.1 and 26.5.27)::

    P(|T| > t) = I_x(v/2, 1/2),   x = v / (v + t²)

evaluated by the continued fraction of DiDonato and Morris (ACM Transactions on Mathematical
Software 18, 1992, equation 9) with the algorithm of Lentz as Thompson and Barnett give it (Journal
of Computational Physics 64, 1986).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aetherops.errors import InvalidInputError
from aetherops.statistics.averages import plain_mean, unrounded_variance

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["confidence_interval", "student_t_quantile"]

# Γ(a + 1/2) / (Γ(a) √a) as a series in 1/a (DLMF 5.11.13 with a and a + 1/2). From here on up its
# first neglected term is below 1e-15; below, the difference of two lgamma keeps enough digits.
_SERIES_FROM = 100
_GAMMA_RATIO_SERIES = (1.0, -1 / 8, 1 / 128, 5 / 1024, -21 / 32768, -399 / 262144)

_EPSILON = 2.0**-52
_MAX_NEWTON_STEPS = 200


def confidence_interval(values: Iterable[float], confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided Student-t interval of the mean: ``mean ∓ t · s / √n``.

    Parameters
    ----------
    values : a sample, in any order.
    confidence : probability in (0, 1) that such an interval covers the true mean of
        normally distributed values.

    Returns
    -------
    Lower and upper end, each rounded to 4, in the values' unit; ``(0.0, 0.0)`` below two values.

    Raises
    ------
    InvalidInputError
        `confidence` is outside (0, 1) (and there are two values).
    """
    sample = list(values)
    if len(sample) < 2:
        return (0.0, 0.0)
    t = student_t_quantile(confidence, len(sample) - 1)
    centre = plain_mean(sample)
    reach = t * math.sqrt(unrounded_variance(sample)) / math.sqrt(len(sample))
    return (round(centre - reach, 4), round(centre + reach, 4))


def student_t_quantile(confidence: float, degrees: int) -> float:
    """The t with ``P(|T| <= t) = confidence``, to about 13 significant digits.

    It is the ``(1 + confidence) / 2`` quantile that tables print: for 0.95 and 10 degrees 2.228.

    Parameters
    ----------
    confidence : in (0, 1).
    degrees : degrees of freedom, at least 1.

    Raises
    ------
    InvalidInputError
        An argument is outside its range.
    """
    if not 0 < confidence < 1:
        raise InvalidInputError("confidence", confidence, "a probability between 0 and 1")
    if not degrees >= 1:
        raise InvalidInputError("degrees", degrees, "at least one degree of freedom")
    tail = 1 - confidence
    # The tail falls and is convex, so Newton's steps from 0 never pass the root.
    t = 0.0
    for _ in range(_MAX_NEWTON_STEPS):
        step = (_two_sided_tail(t, degrees) - tail) / (2 * _density(t, degrees))
        t += step
        if step <= 4 * _EPSILON * t:
            break
    return t


def _two_sided_tail(t: float, degrees: int) -> float:
    """``P(|T| > t)`` for ``t >= 0``."""
    if t == 0:
        return 1.0
    squared = t * t
    a, b = degrees / 2, 0.5
    x, y = degrees / (degrees + squared), squared / (degrees + squared)
    front = _density(t, degrees) * t
    # The fraction converges fast up to this point; beyond it, I_x(a, b) = 1 - I_y(b, a).
    if x < (a + 1) / (a + b + 2):
        return front / _beta_fraction(a, b, x, y)
    return 1 - front / _beta_fraction(b, a, y, x)


def _density(t: float, degrees: int) -> float:
    """Probability density of t."""
    log_power = -(degrees + 1) / 2 * math.log1p(t * t / degrees)
    return _gamma_ratio(degrees / 2) / math.sqrt(degrees * math.pi) * math.exp(log_power)


def _gamma_ratio(a: float) -> float:
    """``Γ(a + 1/2) / Γ(a)``."""
    if a < _SERIES_FROM:
        return math.exp(math.lgamma(a + 0.5) - math.lgamma(a))
    series = 0.0
    for coefficient in reversed(_GAMMA_RATIO_SERIES):
        series = series / a + coefficient
    return math.sqrt(a) * series


def _beta_fraction(a: float, b: float, x: float, y: float) -> float:
    """The continued fraction under I_x(a, b); ``y = 1 - x``, given for its digits near x = 1."""
    # ay - bx instead of a - (a + b)x: with many degrees of freedom the latter cancels.
    offset = a * y - b * x + 1
    value = above = a * offset / (a + 1)
    below = change = 0.0
    m = 0
    while abs(change - 1) > 4 * _EPSILON:
        m += 1
        ratio = m * (b - m) * x / (a + 2 * m - 1)
        numerator = (a + m - 1) * (a + b + m - 1) / (a + 2 * m - 1) * x * ratio
        denominator = m + ratio + (a + m) * (offset + m * (1 + y)) / (a + 2 * m + 1)
        below = 1 / (denominator + numerator * below)
        above = denominator + numerator / above
        change = above * below
        value *= change
    return value

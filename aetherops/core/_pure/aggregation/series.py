# Twin: ext/aetherops/core/_native/aggregation/series.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Whole series in, whole series out: moving averages, exponential smoothing, lagged products."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate
from math import nan

from aetherops.core._pure.aggregation.floats import as_double, float64_column
from aetherops.core.aggregation_input import checked_decimals, checked_int
from aetherops.errors import InvalidInputError

__all__ = ["count_above", "ewma", "lagged_means", "mean_distance", "moving_average"]


def moving_average(values: Sequence[float], window: int, decimals: int | None) -> array[float]:
    """Means of the last ``window`` values at each index, of fewer at the start.

    Each is the left-to-right sum of its own values: no error is carried along, and the time grows
    with the window.

    Raises
    ------
    InvalidInputError
        The window is not positive, or the decimals are out of range.
    """
    x = float64_column(values, "values").tolist()
    window, decimals = checked_int("window", window, 1), checked_decimals(decimals)
    means = array("d")
    for i, total in enumerate(accumulate(x[: window - 1], initial=0.0)):
        if i:
            means.append(_rounded(total / float(i), decimals))
    for start in range(len(x) - window + 1):
        total = 0.0
        for v in x[start : start + window]:
            total += v
        means.append(_rounded(total / float(window), decimals))
    return means


def ewma(values: Sequence[float], alpha: float, decimals: int | None) -> array[float]:
    """The first value as it is, then ``alpha*v + (1 - alpha)*previous``, rounded at each step."""
    alpha = as_double(alpha)
    x = float64_column(values, "values").tolist()
    decimals = checked_decimals(decimals)
    smoothed = array("d", x[:1])
    rest = 1.0 - alpha
    for v in x[1:]:
        smoothed.append(_rounded(alpha * v + rest * smoothed[-1], decimals))
    return smoothed


def lagged_means(a: Sequence[float], b: Sequence[float], max_lag: int) -> array[float]:
    """For each lag from ``-max_lag`` on, the mean of ``a[i] * b[i + lag]``; NaN without a partner.

    ``i`` runs over the length of the shorter of the two, ``i + lag`` over all of ``b``. Lags beyond
    the length of the longer have no partners and are left out: where ``max_lag`` is more, the first
    is minus that length.
    """
    x, y = float64_column(a, "a").tolist(), float64_column(b, "b").tolist()
    max_lag = min(checked_int("max_lag", max_lag, 0), max(len(x), len(y)))
    n = min(len(x), len(y))
    means = array("d")
    for lag in range(-max_lag, max_lag + 1):
        start, end = max(0, -lag), min(n, len(y) - lag)
        total = 0.0
        for i in range(start, end):
            total += x[i] * y[i + lag]
        means.append(total / float(end - start) if end > start else nan)
    return means


def mean_distance(values: Sequence[float], centre: float, unit: float) -> float:
    """The mean of ``abs(v - centre) / unit``; 0.0 of no values.

    Raises
    ------
    InvalidInputError
        The unit is 0.
    """
    centre, unit = as_double(centre), as_double(unit)
    x = float64_column(values, "values")
    if unit == 0.0:
        raise InvalidInputError("unit", unit, "a number other than 0")
    total = 0.0
    for v in x:
        total += abs(v - centre) / unit
    return total / float(len(x)) if len(x) else 0.0


def count_above(values: Sequence[float], threshold: float) -> int:
    """How many values are greater than the threshold."""
    threshold = as_double(threshold)
    return sum(1 for v in float64_column(values, "values") if v > threshold)


def _rounded(value: float, decimals: int | None) -> float:
    return value if decimals is None else round(value, decimals)

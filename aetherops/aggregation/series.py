"""Smoothed series: the moving and the exponentially weighted average."""

from __future__ import annotations

from collections.abc import Iterable
from operator import index

from aetherops import core
from aetherops.aggregation.columns import float64_column
from aetherops.errors import InvalidInputError

__all__ = ["ewma", "moving_average"]


def moving_average(values: Iterable[float], window: int) -> list[float]:
    """The mean of the last ``window`` values at each index, of fewer at the start, to 4 digits.

    ``moving_average([1, 2, 3, 4], 2) == [1.0, 1.5, 2.5, 3.5]``. Each mean is the left-to-right sum
    of its own values, so no error is carried along; the time grows with the window (sixteen
    windows are summed in step). `SlidingWindow` slides in constant time.

    Raises
    ------
    InvalidInputError
        The window is not positive.
    """
    if index(window) <= 0:
        raise InvalidInputError("window", window, "1 or more values")
    return core.moving_average(float64_column(values), window, 4).tolist()


def ewma(values: Iterable[float], alpha: float) -> list[float]:
    """Exponentially weighted moving average.

    The first output is the first value, each next ``alpha * value + (1 - alpha) * previous
    output``, rounded to 4 digits at each step: ``ewma([10, 12, 11], 0.5) == [10.0, 11.0, 11.0]``.

    Raises
    ------
    InvalidInputError
        ``alpha`` is outside (0, 1]; not for an empty input.
    """
    column = float64_column(values)
    if len(column) and not 0 < alpha <= 1:
        raise InvalidInputError("alpha", alpha, "a weight above 0, at most 1")
    return core.ewma(column, alpha, 4).tolist()

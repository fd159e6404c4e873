"""Fewer points for a plot, chosen so that the eye sees the same line."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from aetherops import core
from aetherops.aggregation.columns import IntegerColumn, float64_column, frozen
from aetherops.errors import InvalidInputError

__all__ = ["largest_triangle_three_buckets", "min_max"]


def largest_triangle_three_buckets(
    values: Iterable[float], n_out: int, *, times: Iterable[float] | None = None
) -> IntegerColumn:
    """Indices of ``n_out`` points that keep the visual shape (Steinarsson, 2013).

    Parameters
    ----------
    values : shape (n,).
    n_out : points to keep, 3 or more; all are kept where there are no more.
    times : shape (n,), where the values lie on the horizontal axis; evenly spaced by default.

    Returns
    -------
    Ascending indices, the first and the last point among them. NaN is chosen only where a bucket
    holds nothing else.
    """
    y = float64_column(values)
    if n_out < 3:
        raise InvalidInputError("n_out", n_out, "3 or more points")
    x = None if times is None else float64_column(times, "times")
    if x is not None and len(x) != len(y):
        raise InvalidInputError("times", f"{len(x)} times", f"{len(y)}, one a value")
    if n_out >= len(y):
        return _every(len(y))
    return frozen(core.largest_triangles(x, y, n_out))


def min_max(values: Iterable[float], n_out: int) -> IntegerColumn:
    """Indices of the smallest and the largest value of each of ``n_out // 2`` buckets, ascending.

    No peak is lost. At most ``n_out`` (2 or more) are kept; where one value is both, it is kept
    once. NaN is passed over, a bucket of NaN alone keeps its first.
    """
    y = float64_column(values)
    if n_out < 2:
        raise InvalidInputError("n_out", n_out, "2 or more points")
    if n_out >= len(y):
        return _every(len(y))
    return frozen(core.extreme_points(y, n_out // 2))


def _every(n: int) -> IntegerColumn:
    return frozen(array("q", range(n)))

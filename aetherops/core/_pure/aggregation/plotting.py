# Twin: ext/aetherops/core/_native/aggregation/plotting.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Which points of a long series to draw, so that its shape is kept."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from aetherops.core._pure.aggregation.floats import float64_column
from aetherops.core.aggregation_input import check_lengths, checked_int

__all__ = ["extreme_points", "largest_triangles"]


def largest_triangles(
    times: Sequence[float] | None, values: Sequence[float], n_out: int
) -> array[int]:
    """Indices of ``n_out`` points, 3 to n of them: largest triangle, three buckets.

    Steinarsson (2013): the first and the last point stay; of each bucket between, the point that
    spans the largest triangle with the point chosen before it and the mean of the next bucket. NaN
    is left out of that mean and is chosen only where a bucket holds nothing else.

    Parameters
    ----------
    times : shape (n,), float64, where the values lie on the horizontal axis; ``None`` for at
        their indices.
    values : shape (n,), float64.
    """
    y = float64_column(values, "values").tolist()
    n = len(y)
    x: Sequence[float] = range(n)
    if times is not None:
        x = float64_column(times, "times").tolist()
        check_lengths(n, times=len(x))
    return _triangles(x, y, checked_int("n_out", n_out, 3, n))


def _triangles(x: Sequence[float], y: Sequence[float], n_out: int) -> array[int]:
    n = len(y)
    indices = array("q", [0])
    chosen = 0
    for bucket in range(n_out - 2):
        start = bucket * (n - 2) // (n_out - 2) + 1
        end = (bucket + 1) * (n - 2) // (n_out - 2) + 1
        next_end = min((bucket + 2) * (n - 2) // (n_out - 2) + 1, n)
        sum_x = sum_y = 0.0
        count = 0
        for i in range(end, next_end):
            if y[i] == y[i]:
                sum_x += x[i]
                sum_y += y[i]
                count += 1
        mean_x = sum_x / count if count else x[end]
        mean_y = sum_y / count if count else y[chosen]
        run = x[chosen] - mean_x
        rise = mean_y - y[chosen]
        best = start
        largest = -1.0
        for i in range(start, end):
            area = abs(run * (y[i] - y[chosen]) - (x[chosen] - x[i]) * rise)
            if area > largest:
                largest = area
                best = i
        chosen = best
        indices.append(chosen)
    indices.append(n - 1)
    return indices


def extreme_points(values: Sequence[float], n_buckets: int) -> array[int]:
    """Indices of the smallest and the largest value of each bucket, in order, NaN passed over.

    There are 1 to n buckets for n values; one of NaN alone keeps its first.
    """
    y = float64_column(values, "values").tolist()
    n = len(y)
    indices = array("q")
    n_buckets = checked_int("n_buckets", n_buckets, 1, n)
    for bucket in range(n_buckets):
        start = bucket * n // n_buckets
        end = (bucket + 1) * n // n_buckets
        numbers = [i for i in range(start, end) if y[i] == y[i]]
        if not numbers:
            indices.append(start)
            continue
        low_at = min(numbers, key=y.__getitem__)
        high_at = max(numbers, key=y.__getitem__)
        indices.append(min(low_at, high_at))
        if low_at != high_at:
            indices.append(max(low_at, high_at))
    return indices

# Twin: ext/aetherops/core/_native/aggregation/plotting.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Which points of a long series to draw, so that its shape is kept."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

__all__ = ["extreme_points", "largest_triangles"]


def largest_triangles(times: Sequence[float] | None, y: Sequence[float], n_out: int) -> array[int]:
    """Indices of ``n_out`` points, 3 to n of them: largest triangle, three buckets.

    Steinarsson (2013): the first and the last point stay; of each bucket between, the point that
    spans the largest triangle with the point chosen before it and the mean of the next bucket. NaN
    is left out of that mean and is chosen only where a bucket holds nothing else.
    """
    n = len(y)
    x: Sequence[float] = range(n) if times is None else times
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


def extreme_points(y: Sequence[float], n_buckets: int) -> array[int]:
    """Indices of the smallest and the largest value of each bucket, in order, NaN passed over."""
    n = len(y)
    indices = array("q")
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

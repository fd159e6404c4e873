# Twin: aetherops/core/_pure/aggregation/plotting.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Which points of a long series to draw, so that its shape is kept."""

from cpython cimport array
from libc.math cimport fabs
from libc.stdint cimport int64_t

from array import array as make_array

from aetherops.core._native.aggregation.floats cimport Column, float64_column, read_whole
from aetherops.core._native.aggregation.kernels cimport selected

from aetherops.core.aggregation_input import check_lengths

cdef array.array _INTEGERS = make_array("q")


cdef inline double at(const double *x, int64_t i) noexcept nogil:
    """Where a value lies on the horizontal axis; by default at its index."""
    return x[i] if x != NULL else <double>i


def largest_triangles(times, values, n_out):
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
    cdef Column column = float64_column(values, "values"), places
    cdef const double *x = NULL
    cdef int64_t n = column.length
    if times is not None:
        places = float64_column(times, "times")
        check_lengths(n, times=places.length)
        x = places.floats
    return triangles(x, column.floats, n, read_whole(n_out, "n_out", 3, n))


cdef array.array triangles(const double *x, const double *y, int64_t n, int64_t n_out):
    cdef int64_t bucket, i, start, end, next_end, best, count, chosen = 0
    cdef array.array indices = array.clone(_INTEGERS, n_out, zero=False)
    cdef int64_t *out = <int64_t *>indices.data.as_longlongs
    cdef double sum_x, sum_y, mean_x, mean_y, area, largest, run, rise
    with nogil:
        out[0] = 0
        out[n_out - 1] = n - 1
        for bucket in range(n_out - 2):
            start = bucket * (n - 2) // (n_out - 2) + 1
            end = (bucket + 1) * (n - 2) // (n_out - 2) + 1
            next_end = min((bucket + 2) * (n - 2) // (n_out - 2) + 1, n)
            sum_x = sum_y = 0.0
            count = 0
            for i in range(end, next_end):
                if y[i] == y[i]:
                    sum_x += at(x, i)
                    sum_y += y[i]
                    count += 1
            mean_x = sum_x / count if count else at(x, end)
            mean_y = sum_y / count if count else y[chosen]
            run = at(x, chosen) - mean_x
            rise = mean_y - y[chosen]
            best = start
            largest = -1.0
            for i in range(start, end):
                area = fabs(run * (y[i] - y[chosen]) - (at(x, chosen) - at(x, i)) * rise)
                if area > largest:
                    largest = area
                    best = i
            out[bucket + 1] = chosen = best
    return indices


def extreme_points(values, n_buckets):
    """Indices of the smallest and the largest value of each bucket, in order, NaN passed over.

    There are 1 to n buckets for n values; one of NaN alone keeps its first.
    """
    cdef Column column = float64_column(values, "values")
    cdef const double *x = column.floats
    cdef int64_t n = column.length, wanted = read_whole(n_buckets, "n_buckets", 1, n)
    cdef int64_t bucket, start, end, low_at, high_at, found = 0
    cdef double low, high
    cdef array.array indices = array.clone(_INTEGERS, 2 * wanted, zero=False)
    cdef int64_t *out = <int64_t *>indices.data.as_longlongs
    with nogil:
        for bucket in range(wanted):
            start = bucket * n // wanted
            end = (bucket + 1) * n // wanted
            selected().extremes(x + start, end - start, &low, &high)
            if low > high:  # nothing but NaN
                out[found] = start
                found += 1
                continue
            low_at = start + selected().index_of(x + start, end - start, low)
            high_at = start + selected().index_of(x + start, end - start, high)
            out[found] = min(low_at, high_at)
            found += 1
            if low_at != high_at:
                out[found] = max(low_at, high_at)
                found += 1
    array.resize(indices, found)
    return indices

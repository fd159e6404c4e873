# Twin: aetherops/core/_pure/aggregation/series.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Whole series in, whole series out: moving averages, exponential smoothing, lagged products."""

from cpython cimport array
from libc.math cimport NAN, fabs
from libc.stdint cimport int64_t

from array import array as make_array

from aetherops.core._native.aggregation.buckets cimport decimal_scale
from aetherops.core._native.aggregation.floats cimport Column, float64_column, read_whole
from aetherops.core._native.aggregation.kernels cimport PARTIALS, round_decimal, selected

from aetherops.errors import InvalidInputError

cdef array.array _FLOATS = make_array("d")


def moving_average(values, window, decimals):
    """Means of the last ``window`` values at each index, of fewer at the start.

    Each is the left-to-right sum of its own values: no error is carried along, and the time grows
    with the window.

    Raises
    ------
    InvalidInputError
        The window is not positive, or the decimals are out of range.
    """
    cdef Column column = float64_column(values, "values")
    cdef const double *x = column.floats
    cdef int64_t i, n = column.length, width = read_whole(window, "window", 1)
    cdef double scale = decimal_scale(decimals), total = 0.0
    cdef array.array means = array.clone(_FLOATS, n, zero=False)
    cdef double *out = means.data.as_doubles
    with nogil:
        for i in range(min(width - 1, n)):
            total += x[i]
            out[i] = total
            selected().round_quotients(out + i, 1, <double>(i + 1), scale)
        if n >= width:
            selected().window_sums(x, n - width + 1, width, out + width - 1)
            selected().round_quotients(out + width - 1, n - width + 1, <double>width, scale)
    return means


def ewma(values, double alpha, decimals):
    """The first value as it is, then ``alpha*v + (1 - alpha)*previous``, rounded at each step."""
    cdef Column column = float64_column(values, "values")
    cdef const double *x = column.floats
    cdef int64_t i, n = column.length
    cdef double scale = decimal_scale(decimals), rest = 1.0 - alpha, value
    cdef array.array smoothed = array.clone(_FLOATS, n, zero=False)
    cdef double *out = smoothed.data.as_doubles
    with nogil:
        for i in range(n):
            if i == 0:
                out[0] = x[0]
                continue
            value = alpha * x[i] + rest * out[i - 1]
            out[i] = round_decimal(value, scale) if scale != 0.0 else value
    return smoothed


cdef void lag_sums(const double *a, const double *b, int64_t n, int64_t n_b, int64_t first_lag,
                   int64_t n_lags, double *sums) noexcept nogil:
    """Sums of a[i] * b[i + lag] for at most sixteen lags, each from left to right."""
    cdef int64_t last_lag = first_lag + PARTIALS - 1
    # Where all sixteen lags have a partner in b.
    cdef int64_t start = max(<int64_t>0, -first_lag), end = min(n, n_b - last_lag)
    cdef int64_t i, lag
    for lag in range(first_lag, first_lag + PARTIALS):
        sums[lag - first_lag] = 0.0
        for i in range(max(<int64_t>0, -lag), min(start, min(n, n_b - lag))):
            sums[lag - first_lag] += a[i] * b[i + lag]
    if end > start:
        selected().add_products(a + start, b + start + first_lag, end - start, sums)
    for lag in range(first_lag, first_lag + n_lags):
        for i in range(max(start, end), min(n, n_b - lag)):
            sums[lag - first_lag] += a[i] * b[i + lag]


def lagged_means(a, b, max_lag):
    """For each lag from ``-max_lag`` on, the mean of ``a[i] * b[i + lag]``; NaN without a partner.

    ``i`` runs over the length of the shorter of the two, ``i + lag`` over all of ``b``. Lags beyond
    the length of the longer have no partners and are left out: where ``max_lag`` is more, the first
    is minus that length.
    """
    cdef Column column_a = float64_column(a, "a"), column_b = float64_column(b, "b")
    cdef const double *x = column_a.floats
    cdef const double *y = column_b.floats
    cdef int64_t n = min(column_a.length, column_b.length), n_y = column_b.length
    cdef int64_t longest = max(column_a.length, column_b.length)
    cdef int64_t most = min(read_whole(max_lag, "max_lag", 0), longest)
    cdef int64_t lag, first = 0, count, n_lags = 2 * most + 1
    cdef array.array means = array.clone(_FLOATS, n_lags, zero=False)
    cdef double *out = means.data.as_doubles
    cdef double[16] sums
    with nogil:
        while first < n_lags:
            lag_sums(x, y, n, n_y, first - most, min(<int64_t>PARTIALS, n_lags - first), sums)
            for lag in range(first - most, min(first + PARTIALS, n_lags) - most):
                count = min(n, n_y - lag) - max(<int64_t>0, -lag)
                out[lag + most] = sums[lag + most - first] / count if count > 0 else NAN
            first += PARTIALS
    return means


def mean_distance(values, double centre, double unit):
    """The mean of ``abs(v - centre) / unit``; 0.0 of no values.

    Raises
    ------
    InvalidInputError
        The unit is 0.
    """
    cdef Column column = float64_column(values, "values")
    cdef int64_t i, n = column.length
    cdef double total = 0.0
    if unit == 0.0:
        raise InvalidInputError("unit", unit, "a number other than 0")
    for i in range(n):
        total += fabs(column.floats[i] - centre) / unit
    return total / n if n else 0.0


def count_above(values, double threshold):
    """How many values are greater than the threshold."""
    cdef Column column = float64_column(values, "values")
    cdef int64_t i, n = column.length, count = 0
    for i in range(n):
        count += column.floats[i] > threshold
    return count

# Twin: aetherops/core/_pure/aggregation/series.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Whole series in, whole series out: moving averages, exponential smoothing, lagged products."""

from cpython cimport array
from libc.math cimport NAN, fabs
from libc.stdint cimport int64_t

from array import array as make_array

from aetherops.core._native.aggregation.buckets cimport decimal_scale
from aetherops.core._native.aggregation.kernels cimport LANES, round_decimal, selected

cdef array.array _FLOATS = make_array("d")


def moving_average(const double[::1] values, int64_t window, decimals):
    cdef int64_t i, n = len(values)
    cdef array.array means = array.clone(_FLOATS, n, zero=False)
    cdef double *out = means.data.as_doubles
    cdef double scale = decimal_scale(decimals), total = 0.0
    with nogil:
        for i in range(min(window - 1, n)):
            total += values[i]
            out[i] = total
            selected().round_quotients(out + i, 1, <double>(i + 1), scale)
        if n >= window:
            selected().window_sums(&values[0], n - window + 1, window, out + window - 1)
            selected().round_quotients(out + window - 1, n - window + 1, <double>window, scale)
    return means


def ewma(const double[::1] values, double alpha, decimals):
    cdef int64_t i, n = len(values)
    cdef array.array smoothed = array.clone(_FLOATS, n, zero=False)
    cdef double *out = smoothed.data.as_doubles
    cdef double scale = decimal_scale(decimals), rest = 1.0 - alpha, value
    with nogil:
        for i in range(n):
            if i == 0:
                out[0] = values[0]
                continue
            value = alpha * values[i] + rest * out[i - 1]
            out[i] = round_decimal(value, scale) if scale != 0.0 else value
    return smoothed


cdef void lag_sums(const double[::1] a, const double[::1] b, int64_t n, int64_t first_lag,
                   int64_t n_lags, double *sums) noexcept nogil:
    """Sums of a[i] * b[i + lag] for at most sixteen lags, each from left to right."""
    cdef int64_t n_b = len(b), last_lag = first_lag + LANES - 1
    # Where all sixteen lags have a partner in b.
    cdef int64_t start = max(<int64_t>0, -first_lag), end = min(n, n_b - last_lag)
    cdef int64_t i, lag
    for lag in range(first_lag, first_lag + LANES):
        sums[lag - first_lag] = 0.0
        for i in range(max(<int64_t>0, -lag), min(start, min(n, n_b - lag))):
            sums[lag - first_lag] += a[i] * b[i + lag]
    if end > start:
        selected().add_products(&a[start], &b[start + first_lag], end - start, sums)
    for lag in range(first_lag, first_lag + n_lags):
        for i in range(max(start, end), min(n, n_b - lag)):
            sums[lag - first_lag] += a[i] * b[i + lag]


def lagged_means(const double[::1] a, const double[::1] b, int64_t max_lag):
    cdef int64_t n = min(len(a), len(b)), n_b = len(b)
    cdef int64_t lag, first, count, n_lags = 2 * max_lag + 1
    cdef array.array means = array.clone(_FLOATS, n_lags, zero=False)
    cdef double *out = means.data.as_doubles
    cdef double[16] sums
    with nogil:
        first = 0
        while first < n_lags:
            lag_sums(a, b, n, first - max_lag, min(<int64_t>LANES, n_lags - first), sums)
            for lag in range(first - max_lag, min(first + LANES, n_lags) - max_lag):
                count = min(n, n_b - lag) - max(<int64_t>0, -lag)
                out[lag + max_lag] = sums[lag + max_lag - first] / count if count > 0 else NAN
            first += LANES
    return means


def mean_distance(const double[::1] values, double center, double unit):
    cdef int64_t i, n = len(values)
    cdef double total = 0.0
    for i in range(n):
        total += fabs(values[i] - center) / unit
    return total / n if n else 0.0


def count_above(const double[::1] values, double threshold):
    cdef int64_t i, n = len(values), count = 0
    for i in range(n):
        count += values[i] > threshold
    return count

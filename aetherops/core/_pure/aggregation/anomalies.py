# Twin: ext/aetherops/core/_native/aggregation/anomalies.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Which values lie too far from a mean: ``abs(x - mean) / std > threshold``."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from math import copysign, inf, isfinite, nan
from struct import Struct

from aetherops.core._pure.aggregation.floats import as_double, float_chunks

__all__ = ["cutoffs", "find_anomalies", "is_anomalous"]

_FLOAT, _INTEGER = Struct("<d"), Struct("<q")


def _over_zero(distance: float, zero: float) -> float:
    """As IEEE 754 divides."""
    return copysign(inf, zero) if distance > 0.0 else nan


def is_anomalous(x: float, mean: float, std: float, threshold: float, inclusive: bool) -> bool:
    distance = abs(x - mean)
    z = distance / std if std != 0.0 else _over_zero(distance, std)
    return z >= threshold if inclusive else z > threshold


def find_anomalies(
    values: Iterable[float], mean: float, std: float, threshold: float, *, inclusive: bool = False
) -> array[int]:
    """Indices of the values whose z-score exceeds the threshold (or reaches it: ``inclusive``).

    NaN is never anomalous.
    """
    mean, std, threshold = as_double(mean), as_double(std), as_double(threshold)
    low, high = cutoffs(mean, std, threshold, inclusive)
    indices = array("q")
    base = 0
    for chunk in float_chunks(values):
        if low <= high:
            indices.extend([i for i, x in enumerate(chunk, base) if x < low or x > high])
        else:
            indices.extend(
                i
                for i, x in enumerate(chunk, base)
                if is_anomalous(x, mean, std, threshold, inclusive)
            )
        base += len(chunk)
    return indices


def cutoffs(mean: float, std: float, threshold: float, inclusive: bool) -> tuple[float, float]:
    """The last doubles on both sides of the mean that are no anomalies; (1.0, 0.0) without such.

    The z-score is monotone on each side of the mean, rounding included, so one cut-off a side
    replaces a subtraction and a division a value.
    """
    if not (isfinite(mean) and 0.0 < std < inf and threshold >= 0.0) or is_anomalous(
        mean, mean, std, threshold, inclusive
    ):
        return 1.0, 0.0
    return (
        _cutoff(mean, std, threshold, inclusive, -1),
        _cutoff(mean, std, threshold, inclusive, 1),
    )


def _cutoff(mean: float, std: float, threshold: float, inclusive: bool, sign: int) -> float:
    """Two probes around the estimate, then bisection over the doubles in their order."""
    limit = sign * inf
    if not is_anomalous(limit, mean, std, threshold, inclusive):
        return limit
    inside, beyond = sign * _ordered_bits(mean), sign * _ordered_bits(limit)
    estimate = sign * _ordered_bits(mean + sign * (threshold * std))
    probe = estimate - 8
    while beyond - inside > 1:
        if inside < probe < beyond:
            if is_anomalous(_from_ordered_bits(sign * probe), mean, std, threshold, inclusive):
                beyond = probe
            else:
                inside = probe
        probe = estimate + 8 if probe == estimate - 8 else (inside + beyond) // 2
    return _from_ordered_bits(sign * inside)


def _ordered_bits(x: float) -> int:
    """Doubles as integers of the same order."""
    bits: int = _INTEGER.unpack(_FLOAT.pack(x))[0]
    return -(2**63) - bits if bits < 0 else bits


def _from_ordered_bits(key: int) -> float:
    x: float = _FLOAT.unpack(_INTEGER.pack(-(2**63) - key if key < 0 else key))[0]
    return x

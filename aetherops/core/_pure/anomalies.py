# Twin: ext/aetherops/core/_native/anomalies.pyx. Same answers: change both or neither.
"""Which values lie too far from a mean: ``abs(x - mean) / std > threshold``."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from math import copysign, inf, nan

from aetherops.core._pure.floats import as_double, float_strips

__all__ = ["find_anomalies", "is_anomalous"]


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
    indices = array("q")
    base = 0
    for strip in float_strips(values):
        if std == 0.0:
            fresh = [
                i
                for i, x in enumerate(strip, base)
                if is_anomalous(x, mean, std, threshold, inclusive)
            ]
        elif inclusive:
            fresh = [i for i, x in enumerate(strip, base) if abs(x - mean) / std >= threshold]
        else:
            fresh = [i for i, x in enumerate(strip, base) if abs(x - mean) / std > threshold]
        indices.extend(fresh)
        base += len(strip)
    return indices

"""Values that lie too far from the rest: scores, indices, thresholds."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Literal, TypedDict

from aetherops import core
from aetherops.aggregation.columns import float64_column
from aetherops.aggregation.moments import Moments
from aetherops.core import MIN_STD
from aetherops.errors import InvalidInputError

__all__ = [
    "MIN_COUNT",
    "MIN_STD",
    "Health",
    "Threshold",
    "adaptive_threshold",
    "anomaly_score",
    "detect_drift",
    "telemetry_health_check",
    "zscore_outliers",
]

#: Fewer values show no drift.
MIN_COUNT = 3
LEAST_COUNT, LEAST_STD = MIN_COUNT, MIN_STD  # as they were called
# From so many values above the threshold on, a stream is degraded.
_DEGRADED_FROM = 3


class Threshold(TypedDict):
    threshold: float
    baseline: float
    std: float
    ready: bool


class Health(TypedDict):
    status: Literal["insufficient_data", "healthy", "degraded"]
    anomalies: int
    threshold: float


def detect_drift(values: Iterable[float], threshold: float = 2.0) -> list[int]:
    """Indices of the values more than ``threshold`` standard deviations from the mean.

    The deviation is that of a sample (n - 1), or 0.001 where all values are the same; fewer than
    three values show no drift. ``[10, 10, 10, 10, 10, 100]`` drifts at index 5.
    """
    column = float64_column(values)
    if len(column) < MIN_COUNT:
        return []
    moments = Moments(column)
    std = moments.std() or MIN_STD
    return core.find_anomalies(column, moments.mean, std, threshold).tolist()


def zscore_outliers(values: Iterable[float], z_limit: float = 3.0) -> list[float]:
    """The values, in order, that lie ``z_limit`` standard deviations or more from the mean.

    The deviation is that of a population (n), or 0.001 where all values are the same.
    """
    column = float64_column(values)
    moments = Moments(column)
    std = moments.std(ddof=0) or MIN_STD
    indices = core.find_anomalies(column, moments.mean, std, z_limit, inclusive=True)
    return [column[i] for i in indices]


def anomaly_score(values: Iterable[float], baseline: float, tolerance: float) -> float:
    """The mean distance from the baseline in tolerances, rounded to 4 digits; 0.0 of no values.

    Raises
    ------
    InvalidInputError
        The tolerance is not positive.
    """
    if tolerance <= 0:
        raise InvalidInputError("tolerance", tolerance, "more than 0")
    return round(core.mean_distance(float64_column(values), baseline, tolerance), 4)


def adaptive_threshold(
    values: Iterable[float], sensitivity: float = 1.5, min_samples: int = 10
) -> Threshold:
    """An upper threshold from the last ``min_samples`` values.

    ``baseline`` is their mean, ``std`` their population deviation (0.001 where it is 0),
    ``threshold = baseline + sensitivity * std``; each is rounded to 4 digits. With fewer values it
    is not ``ready``, and the threshold is infinite.
    """
    column = float64_column(values)
    if len(column) < min_samples:
        return {"threshold": inf, "baseline": 0.0, "std": 0.0, "ready": False}
    moments = Moments(column[len(column) - min_samples :])
    std = moments.std(ddof=0) or MIN_STD
    return {
        "threshold": round(moments.mean + sensitivity * std, 4),
        "baseline": round(moments.mean, 4),
        "std": round(std, 4),
        "ready": True,
    }


def telemetry_health_check(
    values: Iterable[float], sensitivity: float = 1.5, min_samples: int = 10
) -> Health:
    """How many of all values lie above `adaptive_threshold`; "degraded" from three of them on."""
    column = float64_column(values)
    limits = adaptive_threshold(column, sensitivity, min_samples)
    if not limits["ready"]:
        return {"status": "insufficient_data", "anomalies": 0, "threshold": 0.0}
    threshold = limits["threshold"]
    anomalies = core.count_above(column, threshold)
    status: Literal["healthy", "degraded"] = (
        "degraded" if anomalies >= _DEGRADED_FROM else "healthy"
    )
    return {"status": status, "anomalies": anomalies, "threshold": threshold}

"""Statistics over the numbers of any iterable, read once; answers rounded as operators read them.

Rounding is of the answer alone: nothing is rounded on the way to it. An empty input gives the
stated value (0.0 unless said otherwise) before any other argument is looked at.
"""

from aetherops._lazy import public_names
from aetherops.statistics.averages import exponential_decay_mean, mean, stddev, variance
from aetherops.statistics.confidence import confidence_interval, student_t_quantile
from aetherops.statistics.heatmap import generate_heatmap
from aetherops.statistics.order import (
    median,
    nearest_rank,
    percentile,
    rolling_sla,
    trimmed_mean,
)
from aetherops.statistics.response_times import ResponseTimeTracker

__all__ = [
    "ResponseTimeTracker",
    "confidence_interval",
    "exponential_decay_mean",
    "generate_heatmap",
    "mean",
    "median",
    "nearest_rank",
    "percentile",
    "rolling_sla",
    "stddev",
    "student_t_quantile",
    "trimmed_mean",
    "variance",
]

__dir__ = public_names(__name__)

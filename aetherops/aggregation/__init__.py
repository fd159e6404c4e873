"""Streaming mathematics on the standard library alone: moments, buckets, windows, drift.

The names are imported when they are first used.
"""

from __future__ import annotations

from aetherops._lazy import lazy_names

# As in `typing`, whose import would take longer than all of this module.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from aetherops.aggregation.aggregator import (
        StreamingAggregator as StreamingAggregator,
        aggregate_telemetry_window as aggregate_telemetry_window,
        summarize as summarize,
    )
    from aetherops.aggregation.buckets import (
        Summaries as Summaries,
        TimeBuckets as TimeBuckets,
        downsample as downsample,
        summarize_time_buckets as summarize_time_buckets,
        time_buckets as time_buckets,
    )
    from aetherops.aggregation.correlation import (
        align_telemetry_timestamps as align_telemetry_timestamps,
        correlate_streams as correlate_streams,
    )
    from aetherops.aggregation.drift import (
        adaptive_threshold as adaptive_threshold,
        anomaly_score as anomaly_score,
        detect_drift as detect_drift,
        telemetry_health_check as telemetry_health_check,
        zscore_outliers as zscore_outliers,
    )
    from aetherops.aggregation.moments import Moments as Moments
    from aetherops.aggregation.plotting import (
        largest_triangle_three_buckets as largest_triangle_three_buckets,
        min_max as min_max,
    )
    from aetherops.aggregation.series import ewma as ewma, moving_average as moving_average
    from aetherops.aggregation.sliding import (
        RollingColumns as RollingColumns,
        SlidingWindow as SlidingWindow,
        rolling as rolling,
    )
    from aetherops.aggregation.window_summary import (
        Drained as Drained,
        WindowSummary as WindowSummary,
    )

# The same names for the interpreter: where each comes from. A test holds the two lists together.
_NAMES_BY_MODULE = {
    "aetherops.aggregation.aggregator": (
        "StreamingAggregator",
        "aggregate_telemetry_window",
        "summarize",
    ),
    "aetherops.aggregation.buckets": (
        "Summaries",
        "TimeBuckets",
        "downsample",
        "summarize_time_buckets",
        "time_buckets",
    ),
    "aetherops.aggregation.correlation": ("align_telemetry_timestamps", "correlate_streams"),
    "aetherops.aggregation.drift": (
        "adaptive_threshold",
        "anomaly_score",
        "detect_drift",
        "telemetry_health_check",
        "zscore_outliers",
    ),
    "aetherops.aggregation.moments": ("Moments",),
    "aetherops.aggregation.plotting": ("largest_triangle_three_buckets", "min_max"),
    "aetherops.aggregation.series": ("ewma", "moving_average"),
    "aetherops.aggregation.sliding": ("RollingColumns", "SlidingWindow", "rolling"),
    "aetherops.aggregation.window_summary": ("Drained", "WindowSummary"),
}

__all__ = [name for names in _NAMES_BY_MODULE.values() for name in names]

# Hidden from type checkers, which would believe that it answers to every name.
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES_BY_MODULE)

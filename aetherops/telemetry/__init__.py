"""What programs import of `aetherops.aggregation`, under the name that they know."""

from __future__ import annotations

from aetherops import aggregation
from aetherops._lazy import lazy_names

# As in `typing`, whose import would take longer than all of this module.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from aetherops.aggregation import (
        Drained as Drained,
        Moments as Moments,
        RollingColumns as RollingColumns,
        SlidingWindow as SlidingWindow,
        StreamingAggregator as StreamingAggregator,
        Summaries as Summaries,
        TimeBuckets as TimeBuckets,
        WindowSummary as WindowSummary,
        adaptive_threshold as adaptive_threshold,
        aggregate_telemetry_window as aggregate_telemetry_window,
        align_telemetry_timestamps as align_telemetry_timestamps,
        anomaly_score as anomaly_score,
        correlate_streams as correlate_streams,
        detect_drift as detect_drift,
        downsample as downsample,
        ewma as ewma,
        largest_triangle_three_buckets as largest_triangle_three_buckets,
        min_max as min_max,
        moving_average as moving_average,
        rolling as rolling,
        summarize as summarize,
        summarize_time_buckets as summarize_time_buckets,
        telemetry_health_check as telemetry_health_check,
        time_buckets as time_buckets,
        zscore_outliers as zscore_outliers,
    )

__all__ = list(aggregation.__all__)

# Hidden from type checkers, which would believe that it answers to every name.
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, {"aetherops.aggregation": __all__})

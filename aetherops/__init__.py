"""AetherOps: telemetry in, streaming aggregates kept, answers over GraphQL.

The main names of the domain packages are also names of this one. They are imported when they are
first used, so that ``import aetherops`` alone costs next to nothing.
"""

from aetherops._lazy import lazy_names
from aetherops._moved import answer_old_paths

__version__ = "0.1.0"

# As in `typing`, whose import would take longer than all of this module.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from aetherops.aggregation import (
        Moments as Moments,
        SlidingWindow as SlidingWindow,
        StreamingAggregator as StreamingAggregator,
        TimeBuckets as TimeBuckets,
        WindowSummary as WindowSummary,
        largest_triangle_three_buckets as largest_triangle_three_buckets,
        min_max as min_max,
        rolling as rolling,
        summarize as summarize,
        time_buckets as time_buckets,
    )
    from aetherops.errors import (
        AetherOpsError as AetherOpsError,
        InvalidInputError as InvalidInputError,
        LimitExceededError as LimitExceededError,
        NotFoundError as NotFoundError,
        RefusedError as RefusedError,
        UnavailableError as UnavailableError,
    )
    from aetherops.queue import (
        BatchAccumulator as BatchAccumulator,
        DrainableQueue as DrainableQueue,
        EventBuffer as EventBuffer,
        PriorityQueue as PriorityQueue,
        QueueItem as QueueItem,
        RateLimiter as RateLimiter,
        SharedCounter as SharedCounter,
        WeightedQueue as WeightedQueue,
        estimate_wait_time as estimate_wait_time,
        predict_queue_saturation as predict_queue_saturation,
        priority_rebalance as priority_rebalance,
        queue_health as queue_health,
        rebalance_with_history as rebalance_with_history,
    )
    from aetherops.ratelimit import (
        BucketLimit as BucketLimit,
        Decision as Decision,
        FixedWindow as FixedWindow,
        FixedWindowLimiter as FixedWindowLimiter,
        Rate as Rate,
        SlidingWindowLimiter as SlidingWindowLimiter,
        TokenBucket as TokenBucket,
        WindowLimit as WindowLimit,
    )
    from aetherops.resilience import (
        Breaker as Breaker,
        BreakerOpenError as BreakerOpenError,
        BreakerPolicy as BreakerPolicy,
        BreakerRegistry as BreakerRegistry,
        CircuitBreaker as CircuitBreaker,
        FailoverCoordinator as FailoverCoordinator,
        ReplayBuffer as ReplayBuffer,
        Retry as Retry,
        choose_failover_region as choose_failover_region,
        classify_outage as classify_outage,
        deduplicate as deduplicate,
        replay_budget as replay_budget,
        replay_converges as replay_converges,
        retry_backoff as retry_backoff,
    )
    from aetherops.services.analytics import (
        anomaly_report as anomaly_report,
        compute_fleet_health as compute_fleet_health,
        satellite_ranking as satellite_ranking,
        trend_analysis as trend_analysis,
    )
    from aetherops.services.identity import (
        OperatorContext as OperatorContext,
        authorize_intent as authorize_intent,
        derive_context as derive_context,
        has_role as has_role,
        list_permissions as list_permissions,
        validate_session as validate_session,
    )
    from aetherops.services.orbit import (
        altitude_band as altitude_band,
        compute_orbital_period as compute_orbital_period,
        orbital_decay_rate as orbital_decay_rate,
        predict_conjunction_risk as predict_conjunction_risk,
    )
    from aetherops.services.reporting import (
        compliance_report as compliance_report,
        format_incident_row as format_incident_row,
        generate_executive_summary as generate_executive_summary,
        mission_report as mission_report,
        rank_incidents as rank_incidents,
    )
    from aetherops.statistics import (
        ResponseTimeTracker as ResponseTimeTracker,
        confidence_interval as confidence_interval,
        exponential_decay_mean as exponential_decay_mean,
        generate_heatmap as generate_heatmap,
        mean as mean,
        median as median,
        percentile as percentile,
        rolling_sla as rolling_sla,
        stddev as stddev,
        trimmed_mean as trimmed_mean,
        variance as variance,
    )
    from aetherops.telemetry import (
        adaptive_threshold as adaptive_threshold,
        aggregate_telemetry_window as aggregate_telemetry_window,
        align_telemetry_timestamps as align_telemetry_timestamps,
        anomaly_score as anomaly_score,
        correlate_streams as correlate_streams,
        detect_drift as detect_drift,
        downsample as downsample,
        ewma as ewma,
        moving_average as moving_average,
        telemetry_health_check as telemetry_health_check,
        zscore_outliers as zscore_outliers,
    )
    from aetherops.workflow import (
        STATES as STATES,
        TERMINAL_STATES as TERMINAL_STATES,
        TRANSITIONS as TRANSITIONS,
        MissionPipeline as MissionPipeline,
        WorkflowEngine as WorkflowEngine,
        can_transition as can_transition,
        is_terminal_state as is_terminal_state,
        safe_advance as safe_advance,
        shortest_path as shortest_path,
    )

# The same names for the interpreter: where each comes from. A test holds the two lists together.
_NAMES_BY_MODULE = {
    "aetherops.aggregation": (
        "Moments",
        "SlidingWindow",
        "StreamingAggregator",
        "TimeBuckets",
        "WindowSummary",
        "largest_triangle_three_buckets",
        "min_max",
        "rolling",
        "summarize",
        "time_buckets",
    ),
    "aetherops.errors": (
        "AetherOpsError",
        "InvalidInputError",
        "LimitExceededError",
        "NotFoundError",
        "RefusedError",
        "UnavailableError",
    ),
    "aetherops.queue": (
        "BatchAccumulator",
        "DrainableQueue",
        "EventBuffer",
        "PriorityQueue",
        "QueueItem",
        "RateLimiter",
        "SharedCounter",
        "WeightedQueue",
        "estimate_wait_time",
        "predict_queue_saturation",
        "priority_rebalance",
        "queue_health",
        "rebalance_with_history",
    ),
    "aetherops.ratelimit": (
        "BucketLimit",
        "Decision",
        "FixedWindow",
        "FixedWindowLimiter",
        "Rate",
        "SlidingWindowLimiter",
        "TokenBucket",
        "WindowLimit",
    ),
    "aetherops.resilience": (
        "Breaker",
        "BreakerOpenError",
        "BreakerPolicy",
        "BreakerRegistry",
        "CircuitBreaker",
        "FailoverCoordinator",
        "ReplayBuffer",
        "Retry",
        "choose_failover_region",
        "classify_outage",
        "deduplicate",
        "replay_budget",
        "replay_converges",
        "retry_backoff",
    ),
    "aetherops.services.analytics": (
        "anomaly_report",
        "compute_fleet_health",
        "satellite_ranking",
        "trend_analysis",
    ),
    "aetherops.services.identity": (
        "OperatorContext",
        "authorize_intent",
        "derive_context",
        "has_role",
        "list_permissions",
        "validate_session",
    ),
    "aetherops.services.orbit": (
        "altitude_band",
        "compute_orbital_period",
        "orbital_decay_rate",
        "predict_conjunction_risk",
    ),
    "aetherops.services.reporting": (
        "compliance_report",
        "format_incident_row",
        "generate_executive_summary",
        "mission_report",
        "rank_incidents",
    ),
    "aetherops.statistics": (
        "ResponseTimeTracker",
        "confidence_interval",
        "exponential_decay_mean",
        "generate_heatmap",
        "mean",
        "median",
        "percentile",
        "rolling_sla",
        "stddev",
        "trimmed_mean",
        "variance",
    ),
    "aetherops.telemetry": (
        "adaptive_threshold",
        "aggregate_telemetry_window",
        "align_telemetry_timestamps",
        "anomaly_score",
        "correlate_streams",
        "detect_drift",
        "downsample",
        "ewma",
        "moving_average",
        "telemetry_health_check",
        "zscore_outliers",
    ),
    "aetherops.workflow": (
        "STATES",
        "TERMINAL_STATES",
        "TRANSITIONS",
        "MissionPipeline",
        "WorkflowEngine",
        "can_transition",
        "is_terminal_state",
        "safe_advance",
        "shortest_path",
    ),
}
_PARTS = (
    *("aggregation", "queue", "ratelimit", "resilience", "services", "statistics", "telemetry"),
    "workflow",
)

__all__ = [name for names in _NAMES_BY_MODULE.values() for name in names]

answer_old_paths()

# Hidden from type checkers, which would believe that it answers to every name.
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES_BY_MODULE, _PARTS)
    del TYPE_CHECKING, answer_old_paths, lazy_names

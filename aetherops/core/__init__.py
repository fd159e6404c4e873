"""The compiled kernels, or their pure-Python twins: the only place that knows there are two.

``AETHEROPS_KERNELS`` chooses: ``auto`` (compiled where built), ``native`` (or fail), ``pure``.
Both give the same bits for the same input. The twins are taken only where the compiled modules are
missing; a compiled module that exists and cannot be imported is an error.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from aetherops._lazy import lazy_names
from aetherops.core.aggregation_input import (
    FUNCTIONS,
    MIN_STD,
    NAN_POLICIES,
    SummaryColumns,
    checked_functions,
)
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from aetherops.core._pure.aggregation.accumulator import (
        Accumulator,
        accumulator_state,
        anomalies_of,
        parts_of,
        restore_accumulator,
        take_anomalies,
    )
    from aetherops.core._pure.aggregation.anomalies import find_anomalies
    from aetherops.core._pure.aggregation.buckets import Buckets
    from aetherops.core._pure.aggregation.kernels import instruction_set
    from aetherops.core._pure.aggregation.moments import (
        BlockMoments,
        finish_moments,
        moments_state,
        restore_moments,
    )
    from aetherops.core._pure.aggregation.plotting import extreme_points, largest_triangles
    from aetherops.core._pure.aggregation.rounding import round_all
    from aetherops.core._pure.aggregation.runs import (
        median_runs,
        merge_runs,
        summarize_runs,
        time_runs,
        without_nan,
    )
    from aetherops.core._pure.aggregation.series import (
        count_above,
        ewma,
        lagged_means,
        mean_distance,
        moving_average,
    )
    from aetherops.core._pure.aggregation.sliding import (
        SlidingMoments,
        restore_sliding,
        rolling_columns,
        sliding_state,
    )
    from aetherops.core._pure.ratelimit.bucket_counters import BucketCounters
    from aetherops.core._pure.ratelimit.fixed_counters import FixedCounters
    from aetherops.core._pure.ratelimit.keyed_counters import KeyedCounters
    from aetherops.core._pure.ratelimit.keyed_limiter import KeyedLimiter
    from aetherops.core._pure.ratelimit.sliding_counters import SlidingCounters
    from aetherops.core._pure.resilience.breaker import BreakerKernel
    from aetherops.core._pure.resilience.guards import (
        CallGuard,
        guard_coroutine_function,
        guard_function,
    )
    from aetherops.core._pure.resilience.outcomes import CountOutcomes, TimeOutcomes

__all__ = [
    "FUNCTIONS",
    "IMPLEMENTATION",
    "MIN_STD",
    "NAN_POLICIES",
    "Accumulator",
    "BlockMoments",
    "BreakerKernel",
    "BucketCounters",
    "Buckets",
    "CallGuard",
    "CountOutcomes",
    "FixedCounters",
    "KeyedCounters",
    "KeyedLimiter",
    "SlidingCounters",
    "SlidingMoments",
    "SummaryColumns",
    "TimeOutcomes",
    "accumulator_state",
    "anomalies_of",
    "checked_functions",
    "count_above",
    "ewma",
    "extreme_points",
    "find_anomalies",
    "finish_moments",
    "guard_coroutine_function",
    "guard_function",
    "instruction_set",
    "lagged_means",
    "largest_triangles",
    "mean_distance",
    "median_runs",
    "merge_runs",
    "moments_state",
    "moving_average",
    "parts_of",
    "restore_accumulator",
    "restore_moments",
    "restore_sliding",
    "rolling_columns",
    "round_all",
    "sliding_state",
    "summarize_runs",
    "take_anomalies",
    "time_runs",
    "without_nan",
]

# What each pair of twins offers under this package's name.
_KERNELS: dict[str, list[str]] = {
    "aggregation.accumulator": [
        "Accumulator",
        "accumulator_state",
        "anomalies_of",
        "parts_of",
        "restore_accumulator",
        "take_anomalies",
    ],
    "aggregation.anomalies": ["find_anomalies"],
    "aggregation.buckets": ["Buckets"],
    "aggregation.floats": [],  # what the others read numbers with
    "aggregation.kernels": ["instruction_set"],
    "aggregation.moments": ["BlockMoments", "finish_moments", "moments_state", "restore_moments"],
    "aggregation.plotting": ["extreme_points", "largest_triangles"],
    "aggregation.rounding": ["round_all"],
    "aggregation.runs": ["median_runs", "merge_runs", "summarize_runs", "time_runs", "without_nan"],
    "aggregation.series": [
        "count_above",
        "ewma",
        "lagged_means",
        "mean_distance",
        "moving_average",
    ],
    "aggregation.sliding": [
        "SlidingMoments",
        "restore_sliding",
        "rolling_columns",
        "sliding_state",
    ],
    "ratelimit.bucket_counters": ["BucketCounters"],
    "ratelimit.fixed_counters": ["FixedCounters"],
    "ratelimit.keyed_counters": ["KeyedCounters"],
    "ratelimit.keyed_limiter": ["KeyedLimiter"],
    "ratelimit.sliding_counters": ["SlidingCounters"],
    "resilience.breaker": ["BreakerKernel"],
    "resilience.guards": ["CallGuard", "guard_coroutine_function", "guard_function"],
    "resilience.outcomes": ["CountOutcomes", "TimeOutcomes"],
}


def _chosen(wanted: str) -> str:
    if wanted not in ("auto", "native", "pure"):
        raise InvalidInputError("AETHEROPS_KERNELS", wanted, "auto, native or pure")
    if wanted == "pure":
        return "pure"
    missing = [name for name in _KERNELS if not _is_built(name)]
    if missing and (wanted == "native" or len(missing) < len(_KERNELS)):
        raise ImportError(
            f"the compiled core lacks {', '.join(missing)}: build it again (pip install .), "
            "or choose AETHEROPS_KERNELS=pure"
        )
    return "pure" if missing else "native"


def _is_built(name: str) -> bool:
    try:
        return find_spec(f"{__name__}._native.{name}") is not None
    except ModuleNotFoundError:  # its folder is missing
        return False


IMPLEMENTATION = _chosen(os.environ.get("AETHEROPS_KERNELS", "auto"))

# Hidden from type checkers, which would believe that the package answers to every name.
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {f"{__name__}._{IMPLEMENTATION}.{module}": names for module, names in _KERNELS.items()},
    )

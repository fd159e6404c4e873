# Typed as its twin, aetherops/core/_pure/aggregation/runs.py.
from aetherops.core._pure.aggregation.runs import (
    median_runs as median_runs,
    merge_runs as merge_runs,
    summarize_runs as summarize_runs,
    time_runs as time_runs,
    without_nan as without_nan,
)

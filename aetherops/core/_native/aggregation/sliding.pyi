# Typed as its twin, aetherops/core/_pure/aggregation/sliding.py.
from aetherops.core._pure.aggregation.sliding import (
    SlidingMoments as SlidingMoments,
    restore_sliding as restore_sliding,
    rolling_columns as rolling_columns,
    sliding_state as sliding_state,
)

# Typed as its twin, aetherops/core/_pure/aggregation/series.py.
from aetherops.core._pure.aggregation.series import (
    count_above as count_above,
    ewma as ewma,
    lagged_means as lagged_means,
    mean_distance as mean_distance,
    moving_average as moving_average,
)

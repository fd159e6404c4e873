# Typed as its twin, aetherops/core/_pure/aggregation/plotting.py.
from aetherops.core._pure.aggregation.plotting import (
    extreme_points as extreme_points,
    largest_triangles as largest_triangles,
)

# Typed as its twin, aetherops/core/_pure/aggregation/buckets.py.
from aetherops.core._pure.aggregation.buckets import (
    FUNCTIONS as FUNCTIONS,
    Buckets as Buckets,
    checked_functions as checked_functions,
)

# Typed as its twin, aetherops/core/_pure/buckets.py.
from aetherops.core._pure.buckets import (
    FUNCTIONS as FUNCTIONS,
    Buckets as Buckets,
    checked_functions as checked_functions,
)

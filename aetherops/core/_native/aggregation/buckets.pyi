# Typed as its twin, aetherops/core/_pure/aggregation/buckets.py.
from aetherops.core._pure.aggregation.buckets import Buckets as Buckets

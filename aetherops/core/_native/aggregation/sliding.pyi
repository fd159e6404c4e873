# Typed as its twin, aetherops/core/_pure/aggregation/sliding.py.
from aetherops.core._pure.aggregation.sliding import SlidingMoments as SlidingMoments

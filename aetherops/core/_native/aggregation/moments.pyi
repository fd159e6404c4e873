# Typed as its twin, aetherops/core/_pure/aggregation/moments.py.
from aetherops.core._pure.aggregation.moments import BlockMoments as BlockMoments

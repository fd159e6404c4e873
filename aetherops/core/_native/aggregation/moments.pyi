# Typed as its twin, aetherops/core/_pure/aggregation/moments.py.
from aetherops.core._pure.aggregation.moments import (
    BlockMoments as BlockMoments,
    finish_moments as finish_moments,
    moments_state as moments_state,
    restore_moments as restore_moments,
)

# Typed as its twin, aetherops/core/_pure/moments.py.
from aetherops.core._pure.moments import BlockMoments as BlockMoments

# Typed as its twin, aetherops/core/_pure/sliding.py.
from aetherops.core._pure.sliding import SlidingMoments as SlidingMoments

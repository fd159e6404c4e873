# Typed as its twin, aetherops/core/_pure/sliding_counters.py.
from aetherops.core._pure.sliding_counters import SlidingCounters as SlidingCounters

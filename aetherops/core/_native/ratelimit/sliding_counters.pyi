# Typed as its twin, aetherops/core/_pure/ratelimit/sliding_counters.py.
from aetherops.core._pure.ratelimit.sliding_counters import SlidingCounters as SlidingCounters

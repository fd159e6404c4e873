# Typed as its twin, aetherops/core/_pure/ratelimit/fixed_counters.py.
from aetherops.core._pure.ratelimit.fixed_counters import FixedCounters as FixedCounters

# Typed as its twin, aetherops/core/_pure/ratelimit/keyed_counters.py.
from aetherops.core._pure.ratelimit.keyed_counters import KeyedCounters as KeyedCounters

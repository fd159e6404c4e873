# Typed as its twin, aetherops/core/_pure/keyed_counters.py.
from aetherops.core._pure.keyed_counters import KeyedCounters as KeyedCounters

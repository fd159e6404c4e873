# Typed as its twin, aetherops/core/_pure/fixed_counters.py.
from aetherops.core._pure.fixed_counters import FixedCounters as FixedCounters

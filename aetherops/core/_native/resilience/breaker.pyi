# Typed as its twin, aetherops/core/_pure/resilience/breaker.py.
from aetherops.core._pure.resilience.breaker import BreakerKernel as BreakerKernel

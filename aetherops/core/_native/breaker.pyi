# Typed as its twin, aetherops/core/_pure/breaker.py.
from aetherops.core._pure.breaker import BreakerKernel as BreakerKernel

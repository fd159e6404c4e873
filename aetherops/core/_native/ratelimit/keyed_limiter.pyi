# Typed as its twin, aetherops/core/_pure/ratelimit/keyed_limiter.py.
from aetherops.core._pure.ratelimit.keyed_limiter import KeyedLimiter as KeyedLimiter

# Typed as its twin, aetherops/core/_pure/resilience/guards.py.
from aetherops.core._pure.resilience.guards import (
    CallGuard as CallGuard,
    guard_coroutine_function as guard_coroutine_function,
    guard_function as guard_function,
)

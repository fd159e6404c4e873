# Typed as its twin, aetherops/core/_pure/resilience/outcomes.py.
from aetherops.core._pure.resilience.outcomes import (
    CountOutcomes as CountOutcomes,
    TimeOutcomes as TimeOutcomes,
)

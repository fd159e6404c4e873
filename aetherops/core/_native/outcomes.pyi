# Typed as its twin, aetherops/core/_pure/outcomes.py.
from aetherops.core._pure.outcomes import (
    CountOutcomes as CountOutcomes,
    TimeOutcomes as TimeOutcomes,
)

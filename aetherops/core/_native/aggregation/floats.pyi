# Typed as its twin, aetherops/core/_pure/aggregation/floats.py.
from aetherops.core._pure.aggregation.floats import NAN_POLICIES as NAN_POLICIES

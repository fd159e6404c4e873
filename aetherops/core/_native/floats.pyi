# Typed as its twin, aetherops/core/_pure/floats.py.
from aetherops.core._pure.floats import NAN_POLICIES as NAN_POLICIES

# Typed as its twin, aetherops/core/_pure/accumulator.py.
from aetherops.core._pure.accumulator import Accumulator as Accumulator

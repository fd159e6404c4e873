# Typed as its twin, aetherops/core/_pure/aggregation/accumulator.py.
from aetherops.core._pure.aggregation.accumulator import Accumulator as Accumulator

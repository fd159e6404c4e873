# Typed as its twin, aetherops/core/_pure/aggregation/rounding.py.
from aetherops.core._pure.aggregation.rounding import round_all as round_all

# Typed as its twin, aetherops/core/_pure/aggregation/kernels.py.
from aetherops.core._pure.aggregation.kernels import instruction_set as instruction_set

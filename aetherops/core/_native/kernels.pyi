# Typed as its twin, aetherops/core/_pure/kernels.py.
from aetherops.core._pure.kernels import instruction_set as instruction_set

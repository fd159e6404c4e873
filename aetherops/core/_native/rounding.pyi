# Typed as its twin, aetherops/core/_pure/rounding.py.
from aetherops.core._pure.rounding import round_all as round_all

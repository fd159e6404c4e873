# Typed as its twin, aetherops/core/_pure/aggregation/floats.py.

# Typed as its twin, aetherops/core/_pure/aggregation/accumulator.py.
from aetherops.core._pure.aggregation.accumulator import (
    Accumulator as Accumulator,
    accumulator_state as accumulator_state,
    anomalies_of as anomalies_of,
    parts_of as parts_of,
    restore_accumulator as restore_accumulator,
    take_anomalies as take_anomalies,
)

# Typed as its twin, aetherops/core/_pure/aggregation/anomalies.py.
from aetherops.core._pure.aggregation.anomalies import find_anomalies as find_anomalies

# Typed as its twin, aetherops/core/_pure/anomalies.py.
from aetherops.core._pure.anomalies import find_anomalies as find_anomalies

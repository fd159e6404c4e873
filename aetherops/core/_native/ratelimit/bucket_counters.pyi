# Typed as its twin, aetherops/core/_pure/ratelimit/bucket_counters.py.
from aetherops.core._pure.ratelimit.bucket_counters import BucketCounters as BucketCounters

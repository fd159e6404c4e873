"""Limiters whose counts several processes share, in a store behind a circuit breaker."""

from aetherops._lazy import public_names
from aetherops.ratelimit.shared.failure import FailurePolicy
from aetherops.ratelimit.shared.leases import LeasedLimiter, LeasePolicy
from aetherops.ratelimit.shared.limiter import (
    Grant,
    SharedCounters,
    SharedLimiter,
    Taken as Taken,
    local_limiter,
)

__all__ = [
    "FailurePolicy",
    "Grant",
    "LeasePolicy",
    "LeasedLimiter",
    "SharedCounters",
    "SharedLimiter",
    "local_limiter",
]

__dir__ = public_names(__name__)

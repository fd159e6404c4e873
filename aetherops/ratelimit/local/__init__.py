"""Limiters whose counts are in this process."""

from aetherops._lazy import public_names
from aetherops.ratelimit.local.limiter import KeyUsage, LocalLimiter, Snapshot
from aetherops.ratelimit.local.rate_limiter import RateLimiter
from aetherops.ratelimit.local.token_bucket import TokenBucket
from aetherops.ratelimit.local.windows import (
    FixedWindow,
    FixedWindowLimiter,
    SlidingWindow,
    SlidingWindowLimiter,
)

__all__ = [
    "FixedWindow",
    "FixedWindowLimiter",
    "KeyUsage",
    "LocalLimiter",
    "RateLimiter",
    "SlidingWindow",
    "SlidingWindowLimiter",
    "Snapshot",
    "TokenBucket",
]

__dir__ = public_names(__name__)

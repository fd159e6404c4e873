"""Limiters whose counts are in this process."""

from aetherops.ratelimit.local.limiter import KeyUsage, LocalLimiter, Snapshot
from aetherops.ratelimit.local.rate_limiter import RateLimiter
from aetherops.ratelimit.local.token_bucket import TokenBucket
from aetherops.ratelimit.local.windows import FixedWindow, SlidingWindow

__all__ = [
    "FixedWindow",
    "KeyUsage",
    "LocalLimiter",
    "RateLimiter",
    "SlidingWindow",
    "Snapshot",
    "TokenBucket",
]

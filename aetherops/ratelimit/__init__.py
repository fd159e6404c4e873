"""Rate limits with bursts: token buckets and windows, in memory or over Redis, adaptive to load."""

from __future__ import annotations

from aetherops._lazy import public_names
from aetherops.ratelimit.decision import Decision, Reason
from aetherops.ratelimit.limits import BucketLimit, WindowLimit, WindowMode
from aetherops.ratelimit.local.limiter import KeyUsage, LocalLimiter, Snapshot
from aetherops.ratelimit.local.rate_limiter import RateLimiter
from aetherops.ratelimit.local.token_bucket import TokenBucket
from aetherops.ratelimit.local.windows import (
    FixedWindow,
    FixedWindowLimiter,
    SlidingWindow,
    SlidingWindowLimiter,
)
from aetherops.ratelimit.rate import Rate
from aetherops.ratelimit.state import LimiterState

__all__ = [
    "BucketLimit",
    "Decision",
    "FixedWindow",
    "FixedWindowLimiter",
    "KeyUsage",
    "LimiterState",
    "LocalLimiter",
    "Rate",
    "RateLimiter",
    "Reason",
    "SlidingWindow",
    "SlidingWindowLimiter",
    "Snapshot",
    "TokenBucket",
    "WindowLimit",
    "WindowMode",
]

__dir__ = public_names(__name__)

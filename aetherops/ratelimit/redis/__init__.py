"""Shared counters in Redis or Valkey."""

from aetherops._lazy import public_names
from aetherops.ratelimit.redis.counters import RedisCounters

__all__ = ["RedisCounters"]

__dir__ = public_names(__name__)

"""Shared counters in Redis or Valkey."""

from aetherops.ratelimit.redis.counters import RedisCounters

__all__ = ["RedisCounters"]

"""The wall clock, for who is handed it: domain code reads no clock of its own."""

from __future__ import annotations

import time

__all__ = ["now_us"]


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1_000

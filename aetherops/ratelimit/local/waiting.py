"""Waiting for an instant of a monotonic clock, in a thread or a task."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

__all__ = ["wait", "wait_async"]


def wait(ready_ns: int, clock_ns: Callable[[], int], stop: threading.Event | None = None) -> bool:
    """Sleep until the clock shows ``ready_ns``; False if ``stop`` was set before."""
    while (left_ns := ready_ns - clock_ns()) > 0:
        if stop is None:
            time.sleep(left_ns / 1e9)
        elif stop.wait(left_ns / 1e9):
            return False
    return True


async def wait_async(ready_ns: int, clock_ns: Callable[[], int]) -> None:
    """Sleep until the clock shows ``ready_ns``: a loop's timers may fire a little early."""
    while (left_ns := ready_ns - clock_ns()) > 0:  # noqa: ASYNC110 - a clock sets no event
        await asyncio.sleep(left_ns / 1e9)

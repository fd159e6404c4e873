"""Limits by window: fixed ones, and sliding ones counted in sub-windows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from aetherops.core import FixedCounters, SlidingCounters
from aetherops.ratelimit.limits import WindowLimit, WindowMode, seconds_to_us, sliding_mode
from aetherops.ratelimit.local.limiter import LocalLimiter
from aetherops.ratelimit.state import Limit

__all__ = ["FixedWindow", "FixedWindowLimiter", "SlidingWindow", "SlidingWindowLimiter"]


class FixedWindowLimiter(LocalLimiter):
    """At most ``limit`` in a window that opens with a key's first request.

    Up to twice the limit may pass across the end of a window; ``SlidingWindowLimiter`` prevents
    that.

    Parameters
    ----------
    limit : the most that a window grants, and that one decision may cost.
    window_s : its length in seconds.
    max_keys, share_overflow, clock_ns : as in ``TokenBucket``; a key whose window is over is
        dropped to make room.

    Raises
    ------
    InvalidInputError
        The limit is no whole number from 1, or the length no positive number of seconds.
    """

    _counters: FixedCounters

    def __init__(
        self,
        limit: int,
        window_s: float = 60,
        *,
        max_keys: int = 1_000_000,
        share_overflow: bool = False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        window = WindowLimit(limit, seconds_to_us(window_s, "window_s"), WindowMode.FIXED, 1)
        counters = FixedCounters(window.quota, window.window_us, max_keys, share_overflow, clock_ns)
        super().__init__(counters, (window,))

    def _enforce(self, limits: Sequence[Limit], now_us: int | None) -> None:
        self._counters.set_limit(limits[0].quota)


class SlidingWindowLimiter(LocalLimiter):
    """At most ``limit`` in a window that slides with time.

    Parameters
    ----------
    limit : the most that a window grants, and that one decision may cost.
    window_s : its length in seconds.
    window_count : the overlapping sub-windows that requests are counted in, 1 to 64. More of
        them follow the true window more closely and take more memory.
    mode : ``"strict"`` never grants more than the limit in any window of that length;
        ``"interpolated"`` is the usual counter, which weights the oldest sub-window by the part
        of it that is still in the window, and may grant nearly twice the limit in one window
        when requests come unevenly.
    max_keys, share_overflow, clock_ns : as in ``TokenBucket``; a key with nothing in its window
        is dropped to make room.

    Raises
    ------
    InvalidInputError
        A limit, length, number of sub-windows or mode that is none of these, or a limit too
        large for exact arithmetic: times the microseconds of a sub-window at most 2⁶⁰.
    """

    _counters: SlidingCounters

    def __init__(
        self,
        limit: int,
        window_s: float = 60,
        window_count: int = 8,
        *,
        mode: str = WindowMode.STRICT,
        max_keys: int = 1_000_000,
        share_overflow: bool = False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        window_us = seconds_to_us(window_s, "window_s")
        window = WindowLimit(limit, window_us, sliding_mode(mode), window_count)
        counters = SlidingCounters(
            window.quota,
            window.window_us,
            window.window_count,
            window.mode is WindowMode.STRICT,
            max_keys,
            share_overflow,
            clock_ns,
        )
        super().__init__(counters, (window,))

    def _enforce(self, limits: Sequence[Limit], now_us: int | None) -> None:
        self._counters.set_limit(limits[0].quota)


# Their names in earlier versions; `aetherops.SlidingWindow` slides over a stream's values.
FixedWindow = FixedWindowLimiter
SlidingWindow = SlidingWindowLimiter

"""The limiter that operators' scripts know: so many requests a client and window."""

from __future__ import annotations

import time
from collections.abc import Callable

from aetherops.errors import InvalidInputError
from aetherops.ratelimit.limits import WindowMode
from aetherops.ratelimit.local.limiter import LocalLimiter
from aetherops.ratelimit.local.token_bucket import TokenBucket
from aetherops.ratelimit.local.windows import FixedWindowLimiter, SlidingWindowLimiter
from aetherops.ratelimit.rate import Rate

__all__ = ["RateLimiter"]

_STRATEGIES = ("fixed_window", "sliding_window", "sliding_window_strict", "token_bucket")


class RateLimiter:
    """At most ``max_requests`` from each client in ``window_s`` seconds.

    Parameters
    ----------
    max_requests : what a client may ask in one window.
    window_s : the length of the window in seconds.
    strategy : ``"fixed_window"`` counts from a client's first request until the window is over.
        ``"sliding_window"`` (interpolated) and ``"sliding_window_strict"`` slide with time, and
        ``"token_bucket"`` refills steadily, ``max_requests`` in every window.
    clock_ns : a monotonic clock in nanoseconds.

    Raises
    ------
    InvalidInputError
        No such strategy, or a number that is not positive.
    """

    def __init__(
        self,
        max_requests: int,
        window_s: float = 60,
        strategy: str = "fixed_window",
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._limiter = _limiter(max_requests, window_s, strategy, clock_ns)
        self.allow: Callable[..., bool] = self._limiter.allow

    @property
    def limiter(self) -> LocalLimiter:
        """The strategy's own limiter, which offers more."""
        return self._limiter

    def reset(self, client_id: str | int) -> None:
        """Forget what a client has asked."""
        self._limiter.reset(client_id)

    def usage(self, client_id: str | int) -> float:
        """The used share of ``max_requests``, rounded to 4 digits."""
        return self._limiter.usage(client_id)


def _limiter(
    max_requests: int, window_s: float, strategy: str, clock_ns: Callable[[], int]
) -> LocalLimiter:
    match strategy:
        case "fixed_window":
            return FixedWindowLimiter(max_requests, window_s, clock_ns=clock_ns)
        case "sliding_window":
            return SlidingWindowLimiter(
                max_requests, window_s, mode=WindowMode.INTERPOLATED, clock_ns=clock_ns
            )
        case "sliding_window_strict":
            return SlidingWindowLimiter(max_requests, window_s, clock_ns=clock_ns)
        case "token_bucket":
            rate = Rate.of(max_requests / window_s)
            return TokenBucket(max_requests, rate, clock_ns=clock_ns)
    raise InvalidInputError("strategy", strategy, f"one of {', '.join(_STRATEGIES)}")

"""What a shared limiter does while its store does not answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import ParamSpec, Protocol, TypeVar

from aetherops.ratelimit.errors import ForeignEntryError
from aetherops.resilience import Breaker, BreakerPolicy, exceptions

__all__ = ["FailurePolicy", "GuardsCalls", "store_breaker"]

P = ParamSpec("P")
T = TypeVar("T")


class FailurePolicy(StrEnum):
    """How to decide without the store."""

    LOCAL = "local"
    """By counters of this process, over its share of the limits."""
    FAIL_OPEN = "fail_open"
    """Grant."""
    FAIL_CLOSED = "fail_closed"
    """Refuse."""


class GuardsCalls(Protocol):
    """A circuit breaker, as far as a limiter needs one."""

    def call_async(
        self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]: ...


def store_breaker(name: str) -> Breaker:
    """A breaker that opens at the first failure and probes after a quarter of a second, then later.

    A limiter stands in every request's way, so it does not try a dead store twice; and its
    callers have an answer without it, so there is no reason to hesitate. An entry of one key that
    others wrote is no failure of the store.
    """
    return Breaker(
        name,
        BreakerPolicy(
            failure_threshold=1,
            reset_timeout_s=0.25,
            backoff_factor=2.0,
            max_reset_timeout_s=5.0,
            jitter=0.1,
        ),
        detector=exceptions(exclude=[ForeignEntryError]),
    )

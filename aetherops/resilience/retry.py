"""Trying again, outside the breaker: every attempt asks it, and an open one ends the attempts."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from random import random as uniform
from typing import ParamSpec, TypeVar

from aetherops.errors import InvalidInputError
from aetherops.resilience.backoff import retry_backoff
from aetherops.resilience.breakers.errors import BreakerOpenError

__all__ = ["Retry"]

P = ParamSpec("P")
T = TypeVar("T")


async def _sleep_async(seconds: float) -> None:
    import asyncio  # not above: it is two thirds of this package's import time

    await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Attempts with doubling, jittered waits between them.

    Parameters
    ----------
    attempts : calls made at most, at least 1.
    base_ms, cap_ms : first and longest wait (:func:`retry_backoff`).
    jitter : share of a wait, in [0, 1], by which it is drawn shorter, so that callers who failed
        together do not come back together.
    on : errors worth another attempt. An open breaker never is.
    random : numbers in [0, 1).
    sleep, sleep_async : wait so many seconds.

    Raises
    ------
    InvalidInputError
        A number is out of its range.
    """

    attempts: int = 3
    base_ms: int = 80
    cap_ms: int = 5000
    jitter: float = 0.5
    on: tuple[type[Exception], ...] = (Exception,)
    random: Callable[[], float] = uniform
    sleep: Callable[[float], object] = time.sleep
    sleep_async: Callable[[float], Awaitable[object]] = _sleep_async

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise InvalidInputError("attempts", self.attempts, "at least 1")
        if not 0 <= self.jitter <= 1:
            raise InvalidInputError("jitter", self.jitter, "from 0 to 1")
        retry_backoff(1, self.base_ms, self.cap_ms)

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The first result; the last attempt's error where there is none."""
        for wait_s in self.waits_s():
            try:
                return function(*args, **kwargs)
            except BreakerOpenError:
                raise
            except self.on:
                self.sleep(wait_s)
        return function(*args, **kwargs)

    async def call_async(
        self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The first awaited result; the last attempt's error where there is none."""
        for wait_s in self.waits_s():
            try:
                return await function(*args, **kwargs)
            except BreakerOpenError:
                raise
            except self.on:
                await self.sleep_async(wait_s)
        return await function(*args, **kwargs)

    def waits_s(self) -> Iterator[float]:
        """Seconds to wait before each further attempt."""
        for attempt in range(1, self.attempts):
            wait_ms = retry_backoff(attempt, self.base_ms, self.cap_ms)
            yield wait_ms * (1 - self.jitter * self.random()) / 1000

"""Trying again, outside the breaker: every attempt asks it, and an open one ends the attempts."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from math import inf, isnan
from sys import float_info
from typing import ParamSpec, TypeVar

from aetherops._named import UNIFORM, Named
from aetherops.errors import InvalidInputError
from aetherops.resilience.backoff import retry_backoff
from aetherops.resilience.breakers.errors import BreakerOpenError

__all__ = ["Retry"]

P = ParamSpec("P")
T = TypeVar("T")


_LAST = float_info.max  # an instant that comes, if not soon


async def _sleep_async(seconds: float) -> None:
    import asyncio  # not above: it is two thirds of this package's import time

    await asyncio.sleep(seconds)


def _asks_nothing(_: Exception) -> None:
    """No error asks for a wait of its own."""


_ASKS_NOTHING = Named("nothing asked", _asks_nothing)
_SLEEP_ASYNC = Named("asyncio.sleep", _sleep_async)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Attempts with doubling, jittered waits between them.

    Parameters
    ----------
    attempts : calls made at most, at least 1; None for as long as patience lasts.
    patience_s : seconds after the first call within which every further one begins.
    base_ms, cap_ms : first and longest wait (:func:`retry_backoff`).
    jitter : share of a wait, in [0, 1], by which it is drawn shorter, so that callers who failed
        together do not come back together.
    on : errors worth another attempt. An open breaker never is.
    asked_s : seconds that an error asks to wait, None where it does not. They take the place of
        the doubling wait, and are drawn longer by up to ``jitter``: nobody comes back too early.
        Fewer than 0 are none, and infinity ends the attempts.
    random : numbers in [0, 1).
    sleep, sleep_async : wait so many seconds.
    clock : monotonic seconds.

    Raises
    ------
    InvalidInputError
        A number is out of its range.
    """

    attempts: int | None = 3
    patience_s: float = inf
    base_ms: int = 80
    cap_ms: int = 5000
    jitter: float = 0.5
    on: tuple[type[Exception], ...] = (Exception,)
    asked_s: Callable[[Exception], float | None] = _ASKS_NOTHING
    random: Callable[[], float] = UNIFORM
    sleep: Callable[[float], object] = time.sleep
    sleep_async: Callable[[float], Awaitable[object]] = _SLEEP_ASYNC
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        if self.attempts is not None and self.attempts < 1:
            raise InvalidInputError("attempts", self.attempts, "at least 1")
        if not self.patience_s >= 0:
            raise InvalidInputError("patience_s", self.patience_s, "0 or more seconds")
        if not 0 <= self.jitter <= 1:
            raise InvalidInputError("jitter", self.jitter, "from 0 to 1")
        retry_backoff(1, self.base_ms, self.cap_ms)

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The first result; the last attempt's error where there is none."""
        wait_after = self._schedule()
        while True:
            try:
                return function(*args, **kwargs)
            except BreakerOpenError:
                raise
            except self.on as error:
                wait_s = wait_after(error)
                if wait_s is None:
                    raise
                self.sleep(wait_s)

    async def call_async(
        self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The first awaited result; the last attempt's error where there is none."""
        wait_after = self._schedule()
        while True:
            try:
                return await function(*args, **kwargs)
            except BreakerOpenError:
                raise
            except self.on as error:
                wait_s = wait_after(error)
                if wait_s is None:
                    raise
                await self.sleep_async(wait_s)

    def waits_s(self) -> Iterator[float]:
        """Seconds to wait before each further attempt, where no error asks for others."""
        for attempt in count(1) if self.attempts is None else range(1, self.attempts):
            wait_ms = retry_backoff(attempt, self.base_ms, self.cap_ms)
            yield wait_ms * (1 - self.jitter * self.random()) / 1000

    def _schedule(self) -> Callable[[Exception], float | None]:
        """The waits of one call: asked after each error, None when that was the last attempt."""
        waits_s = self.waits_s()
        give_up_s = self.clock() + self.patience_s

        def wait_after(error: Exception) -> float | None:
            wait_s = next(waits_s, None)
            asked_s = self.asked_s(error)
            if wait_s is not None and asked_s is not None and not isnan(asked_s):
                wait_s = max(asked_s, 0.0) * (1 + self.jitter * self.random())
            in_time = wait_s is not None and self.clock() + wait_s <= min(give_up_s, _LAST)
            return wait_s if in_time else None

        return wait_after

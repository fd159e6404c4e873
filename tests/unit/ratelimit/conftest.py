"""A clock that stands still until it is moved, and a store that fails when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from aetherops.errors import UnavailableError
from aetherops.ratelimit import LocalLimiter, TokenBucket
from aetherops.ratelimit.shared.limiter import Grant
from aetherops.ratelimit.state import Limit


class Clock:
    """Monotonic nanoseconds, as far as the test lets it be."""

    def __init__(self) -> None:
        self.ns = 5_000_000_000

    def __call__(self) -> int:
        return self.ns

    def advance(self, seconds: float) -> None:
        self.ns += round(seconds * 1e9)


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Store:
    """Shared counters in this process, over a real limiter; may be told to fail."""

    def __init__(self, limiter: LocalLimiter) -> None:
        self.limiter = limiter
        self.failing = False
        self.round_trips = 0
        self.drawn: list[int] = []
        self.gate: asyncio.Event | None = None

    @property
    def limits(self) -> tuple[Limit, ...]:
        return self.limiter.limits

    async def take(self, key: str | int, least: int, most: int, replicas: int = 0) -> Grant:
        await self._travel()
        room = self.limiter.peek(key).remaining
        wanted = max(min(most, room // (2 * replicas)), least) if replicas else most
        granted = min(wanted, room) // least * least
        if granted:
            assert self.limiter.allow(key, granted)
        self.drawn.append(granted)
        decision = self.limiter.peek(key, least)
        retry_us = -1 if decision.retry_after_us is None else decision.retry_after_us
        return Grant(granted, 0, decision.remaining, retry_us, decision.reset_after_us)

    async def look(self, key: str | int, cost: int) -> Grant:
        await self._travel()
        decision = self.limiter.peek(key, cost)
        retry_us = -1 if decision.retry_after_us is None else decision.retry_after_us
        return Grant(0, 0, decision.remaining, retry_us, decision.reset_after_us)

    async def give(self, key: str | int, cost: int) -> Grant:
        await self._travel()
        self.limiter.refund(key, cost)
        return await self.look(key, 1)

    def change(self, limits: Sequence[Limit]) -> None:
        self.limiter.change(*limits)

    async def _travel(self) -> None:
        self.round_trips += 1
        await asyncio.sleep(0)
        if self.gate is not None:
            await self.gate.wait()
        if self.failing:
            raise UnavailableError("store")


@pytest.fixture
def store(clock: Clock) -> Store:
    """A bucket of 100 tokens, 10 a second."""
    return Store(TokenBucket(100, 10, clock_ns=clock))

"""What callers need of a limiter, wherever it keeps its counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aetherops.core.counter_input import plain_costs, plain_keys
from aetherops.ratelimit.decision import Decision

if TYPE_CHECKING:
    from aetherops.ratelimit.shared.failure import FailurePolicy

__all__ = ["AsyncLimiter", "Limiter", "LimiterFigures", "LocalAsAsync", "StoreFigures"]


class StoreFigures(NamedTuple):
    """How a limiter fared with the store of its counts."""

    on_failure: FailurePolicy
    fallback_total: int
    """Decisions that were made without the store."""
    error_total: int
    """Questions that the store was asked and did not answer."""


class LimiterFigures(NamedTuple):
    """What a dashboard follows of a limiter; nothing in it names a key."""

    tracked_keys: int
    """Keys that this process keeps counts of; what a store keeps is the store's to count."""
    store: StoreFigures | None = None
    """None where the counts are in this process alone."""


class Limiter(Protocol):
    """A limiter that answers at once."""

    def decide(self, key: str | int, cost: int = 1) -> Decision: ...

    def refund(self, key: str | int, cost: int = 1) -> None: ...

    def __len__(self) -> int: ...


class AsyncLimiter(Protocol):
    """A limiter that may ask a server first."""

    async def decide(self, key: str | int, cost: int = 1) -> Decision: ...

    async def decide_many(
        self, keys: Sequence[str | int], costs: int | Sequence[int] = 1
    ) -> list[Decision]: ...

    async def refund(self, key: str | int, cost: int = 1) -> None: ...

    def figures(self) -> LimiterFigures: ...


class LocalAsAsync:
    """A limiter of this process where an asynchronous one is asked for."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    async def decide(self, key: str | int, cost: int = 1) -> Decision:
        """At once."""
        return self._limiter.decide(key, cost)

    async def decide_many(
        self, keys: Sequence[str | int], costs: int | Sequence[int] = 1
    ) -> list[Decision]:
        """One after the other."""
        pairs = zip(plain_keys(keys), plain_costs(costs, len(keys)), strict=True)
        return [self._limiter.decide(key, cost) for key, cost in pairs]

    async def refund(self, key: str | int, cost: int = 1) -> None:
        """At once."""
        self._limiter.refund(key, cost)

    def figures(self) -> LimiterFigures:
        """The limiter's keys; it has no store."""
        return LimiterFigures(len(self._limiter))

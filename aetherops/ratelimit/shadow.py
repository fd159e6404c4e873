"""Limits that only watch: they decide and count, and refuse nothing."""

from __future__ import annotations

from collections.abc import Sequence

from aetherops.ratelimit.decision import Decision, Reason
from aetherops.ratelimit.ports import AsyncLimiter, Limiter, LimiterFigures

__all__ = ["AsyncShadowLimiter", "ShadowLimiter"]


class _ShadowCount:
    """How often a limiter would have refused."""

    def __init__(self) -> None:
        self._shadowed = 0

    @property
    def shadowed_total(self) -> int:
        """Decisions that would have been refusals."""
        return self._shadowed

    def _let_pass(self, decision: Decision) -> Decision:
        if decision.allowed:
            return decision
        self._shadowed += 1
        return decision._replace(allowed=True, reason=Reason.SHADOWED)


class ShadowLimiter(_ShadowCount):
    """Lets everything pass a limiter, and counts what would not have.

    Parameters
    ----------
    limiter : decides, and takes what it would grant, as if it were in force.
    """

    def __init__(self, limiter: Limiter) -> None:
        super().__init__()
        self._limiter = limiter

    def allow(self, key: str | int, cost: int = 1) -> bool:
        """Always true."""
        return self.decide(key, cost).allowed

    def decide(self, key: str | int, cost: int = 1) -> Decision:
        """The limiter's decision, a refusal turned into ``Reason.SHADOWED``."""
        return self._let_pass(self._limiter.decide(key, cost))

    def refund(self, key: str | int, cost: int = 1) -> None:
        """Give back what was granted and not used."""
        self._limiter.refund(key, cost)

    def __len__(self) -> int:
        return len(self._limiter)


class AsyncShadowLimiter(_ShadowCount):
    """As ``ShadowLimiter``, around an asynchronous one."""

    def __init__(self, limiter: AsyncLimiter) -> None:
        super().__init__()
        self._limiter = limiter

    async def allow(self, key: str | int, cost: int = 1) -> bool:
        """Always true."""
        return (await self.decide(key, cost)).allowed

    async def decide(self, key: str | int, cost: int = 1) -> Decision:
        """The limiter's decision, a refusal turned into ``Reason.SHADOWED``."""
        return self._let_pass(await self._limiter.decide(key, cost))

    async def decide_many(
        self, keys: Sequence[str | int], costs: int | Sequence[int] = 1
    ) -> list[Decision]:
        """As ``decide``, for each."""
        return [self._let_pass(each) for each in await self._limiter.decide_many(keys, costs)]

    async def refund(self, key: str | int, cost: int = 1) -> None:
        """Give back what was granted and not used."""
        await self._limiter.refund(key, cost)

    def figures(self) -> LimiterFigures:
        """The limiter's own."""
        return self._limiter.figures()

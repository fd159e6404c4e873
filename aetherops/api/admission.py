"""How much may come in: rate limits for each address and each operator."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.ratelimit.errors import RateLimitedError
from aetherops.ratelimit.headers import limit_fields, policy_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.api.metrics.registry import Metrics
    from aetherops.ratelimit import BucketLimit
    from aetherops.ratelimit.ports import AsyncLimiter

__all__ = ["Admission", "Gate", "OperatorMeter"]


class Gate:
    """One named limit where requests come in.

    Parameters
    ----------
    policy : its name, as clients and metrics see it.
    limiter : decides.
    limits : what it enforces at a factor of 1, for the policy header.
    metrics : where its decisions are counted and timed, and its limiter is shown.
    """

    def __init__(
        self, policy: str, limiter: AsyncLimiter, limits: Sequence[BucketLimit], metrics: Metrics
    ) -> None:
        self.policy = policy
        self._limiter = limiter
        self._limits = limits
        self._policy_field = policy_field(policy, limits)
        self._decisions = metrics.limit_decisions
        self._duration_s = metrics.limit_duration_s.labels(policy)
        metrics.limiters.watch(policy, limiter)

    async def admit(self, key: str, cost: int = 1) -> dict[str, str]:
        """Take `cost` from `key`, and return the headers that tell what is left.

        Raises
        ------
        RateLimitedError
            There is not enough; nothing was taken.
        """
        began_s = time.perf_counter()
        decision = await self._limiter.decide(key, cost)
        self._duration_s.observe(time.perf_counter() - began_s)
        result = "granted" if decision.allowed else "refused"
        self._decisions.labels(self.policy, result, str(decision.reason)).inc()
        if not decision.allowed:
            raise RateLimitedError(self.policy, decision, self._limits)
        return {"RateLimit-Policy": self._policy_field, **limit_fields(self.policy, decision)}


@dataclass(frozen=True, slots=True)
class Admission:
    """The limits of an instance; a gate that is ``None`` lets everything pass.

    Parameters
    ----------
    addresses : requests of one address.
    ingest : samples of one operator.
    queries : cost of one operator's queries: 1 a request, and 1 for every 10,000 samples read.
    """

    addresses: Gate | None = None
    ingest: Gate | None = None
    queries: Gate | None = None


class OperatorMeter:
    """What one operator's request costs, taken from the operator's limit as it becomes known.

    Parameters
    ----------
    gate : the limit; ``None`` where there is none.
    """

    def __init__(self, gate: Gate | None, operator_id: str) -> None:
        self._gate = gate
        self._operator_id = operator_id
        #: What the limit said last, for the headers of the answer.
        self.headers: dict[str, str] = {}

    async def charge(self, cost: int) -> None:
        """Pay; raises `RateLimitedError` where the operator has spent too much."""
        if self._gate and cost:
            self.headers = await self._gate.admit(self._operator_id, cost)

"""Which requests may come in: rate limits for each address and each operator."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.api.failures import describe
from aetherops.ratelimit.errors import RateLimitedError
from aetherops.ratelimit.headers import limit_fields, policy_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from aetherops.api.metrics.registry import Metrics
    from aetherops.ratelimit import BucketLimit
    from aetherops.ratelimit.ports import AsyncLimiter

__all__ = ["AddressLimit", "Admission", "Gate"]

_UNLIMITED_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


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
            raise RateLimitedError(self.policy, decision)
        return {"RateLimit-Policy": self._policy_field, **limit_fields(self.policy, decision)}


@dataclass(frozen=True, slots=True)
class Admission:
    """The limits of an instance; a gate that is ``None`` lets everything pass.

    Parameters
    ----------
    addresses : requests of one address.
    ingest : samples of one operator.
    queries : cost of one operator's queries, in units of 1,000 samples read.
    """

    addresses: Gate | None = None
    ingest: Gate | None = None
    queries: Gate | None = None


class AddressLimit:
    """Refuses requests of an address that asks too often, before anything is read of them.

    The address is that of the connection, or the one that a proxy on this machine forwards
    (uvicorn believes nobody else).
    """

    def __init__(self, app: ASGIApp, gate: Gate | None) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._gate and scope["type"] == "http" and scope["path"] not in _UNLIMITED_PATHS:
            client = scope.get("client")
            try:
                await self._gate.admit(client[0] if client else "unknown")
            except RateLimitedError as refused:
                await describe(refused).to_response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

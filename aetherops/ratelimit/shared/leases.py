"""Leases for hot keys: tokens drawn from a shared store in advance, and spent here.

A process takes some tokens of a key at a time, and decides by itself until they are spent. What
is granted is never more than the store granted, so the limit holds over all processes; what is
drawn and not spent within the lease's time is lost to the key.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from aetherops.core.counter_input import plain_cost, plain_key
from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.ratelimit.decision import Decision, Reason
from aetherops.ratelimit.ports import LimiterFigures
from aetherops.ratelimit.shared.failure import FailurePolicy, GuardsCalls
from aetherops.ratelimit.shared.limiter import Grant, SharedCounters, SharedLimiter

__all__ = ["LeasePolicy", "LeasedLimiter"]

_SWEPT = 2


@dataclass(frozen=True, slots=True)
class LeasePolicy:
    """How much is drawn in advance, and for how long.

    Parameters
    ----------
    size : the most tokens of one lease. Near the limit they become smaller, down to what one
        decision costs: at most the room over twice the replicas.
    ttl_s : seconds after which unspent tokens are dropped.
    max_keys : the most keys with a lease; others are decided at the store.

    Raises
    ------
    InvalidInputError
        One of them is not above 0.
    """

    size: int = 1000
    ttl_s: float = 1.0
    max_keys: int = 10_000

    def __post_init__(self) -> None:
        for field in ("size", "ttl_s", "max_keys"):
            if getattr(self, field) <= 0:
                raise InvalidInputError(field, getattr(self, field), "a number above 0")


class _Lease:
    """The tokens drawn for one key, or the store's refusal."""

    __slots__ = (
        "_waiting",
        "ends_ns",
        "grant",
        "left",
        "refill",
        "refused_cost",
        "refused_until_ns",
    )

    def __init__(self) -> None:
        self.left = 0
        self.ends_ns = 0
        self.refused_cost = 0
        self.refused_until_ns = 0
        self.grant = Grant(0, 0, 0, 0, 0)
        self.refill: asyncio.Task[None] | None = None
        self._waiting: list[tuple[int, asyncio.Future[bool]]] = []

    async def wait(self, cost: int) -> bool:
        """Whether the refill that is under way brought the cost, which then is taken.

        Raises
        ------
        UnavailableError
            It brought nothing, for the store did not answer.
        """
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((cost, answer))
        try:
            return await answer
        except asyncio.CancelledError:
            # It may have been cancelled between its grant and its turn.
            if not answer.cancelled() and answer.exception() is None:
                self.left += cost * answer.result()
            raise

    def answer(self, refill: asyncio.Task[None]) -> None:
        """Give those who wait their share, first come first served; tell others to look again."""
        waiting, self._waiting = self._waiting, []
        error = None if refill.cancelled() else refill.exception()
        if error is not None and not waiting and not isinstance(error, UnavailableError):
            raise error  # out of a callback, to the event loop's handler: nobody else is told
        for cost, answer in waiting:
            if answer.done():
                continue
            if error is not None:
                answer.set_exception(error)
                continue
            granted = cost <= self.left
            self.left -= cost * granted
            answer.set_result(granted)

    def idle(self, now_ns: int) -> bool:
        """Whether it says nothing any more."""
        busy = self.refill is not None or now_ns < self.refused_until_ns
        return not busy and now_ns >= self.ends_ns


class LeasedLimiter(SharedLimiter):
    """A shared limiter that decides most requests without asking the store.

    Parameters
    ----------
    counters, on_failure, replicas, breaker : as in ``SharedLimiter``.
    lease : how much is drawn in advance.
    clock_ns : a monotonic clock in nanoseconds.
    """

    def __init__(
        self,
        counters: SharedCounters,
        *,
        lease: LeasePolicy | None = None,
        on_failure: FailurePolicy = FailurePolicy.LOCAL,
        replicas: int = 1,
        breaker: GuardsCalls | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__(counters, on_failure=on_failure, replicas=replicas, breaker=breaker)
        self._policy = lease or LeasePolicy()
        self._clock_ns = clock_ns
        self._low = self._policy.size // 2
        self._leases: dict[str | int, _Lease] = {}

    async def allow(self, key: str | int, cost: int = 1) -> bool:
        """Take ``cost`` from ``key`` if it is there."""
        lease = self._leases.get(key)
        if lease is None or cost.__class__ is not int or cost <= 0:
            return (await self.decide(key, cost)).allowed
        now_ns = self._clock_ns()
        if cost <= lease.left and now_ns < lease.ends_ns:
            # `_spend`, written out: a call would cost as much as the rest.
            lease.left = left = lease.left - cost
            if left < self._low and lease.refill is None:
                self._draw_ahead(key, lease, cost, now_ns)
            return True
        if lease.refill is not None and cost <= self._policy.size:
            try:
                if await lease.wait(cost):
                    return True
            except UnavailableError:
                return self._without_store(key, cost).allowed
        return (await self.decide(key, cost)).allowed

    async def decide(self, key: str | int, cost: int = 1) -> Decision:
        """Take ``cost`` from ``key``; ``remaining`` is what this process still holds of it."""
        key, cost = plain_key(key), plain_cost(cost)
        lease = self._lease(key) if cost <= self._policy.size else None
        while lease is not None:
            now_ns = self._clock_ns()
            if cost <= lease.left and now_ns < lease.ends_ns:
                self._spend(key, lease, cost, now_ns)
                return self._granted(lease)
            if 0 < lease.refused_cost <= cost and now_ns < lease.refused_until_ns:
                return self._refuse(lease, now_ns)
            if lease.refill is None:
                self._start_refill(key, lease, cost)
            try:
                if await lease.wait(cost):
                    return self._granted(lease)
            except UnavailableError:
                return self._without_store(key, cost)
            if lease.grant.retry_us < 0:
                break  # never: let the store say so
        return await super().decide(key, cost)

    def figures(self) -> LimiterFigures:
        """As of any shared limiter; keys with a lease are tracked too."""
        figures = super().figures()
        return figures._replace(tracked_keys=figures.tracked_keys + len(self._leases))

    async def aclose(self) -> None:
        """Give back what was drawn and not spent."""
        for key, lease in self._leases.items():
            if lease.refill is not None:
                await asyncio.wait([lease.refill])
            if lease.left > 0 and self._clock_ns() < lease.ends_ns:
                await self.refund(key, lease.left)
        self._leases.clear()

    def _lease(self, key: str | int) -> _Lease | None:
        """The lease of a key, a new one where there is room."""
        lease = self._leases.get(key)
        if lease is None:
            self._sweep()
            if len(self._leases) < self._policy.max_keys:
                lease = self._leases[key] = _Lease()
        return lease

    def _sweep(self) -> None:
        """Drop the oldest leases that say nothing any more; keep looking at others in turn."""
        now_ns = self._clock_ns()
        for key in list(islice(self._leases, _SWEPT)):
            lease = self._leases.pop(key)
            if not lease.idle(now_ns):
                self._leases[key] = lease

    def _spend(self, key: str | int, lease: _Lease, cost: int, now_ns: int) -> None:
        """Take from the lease, and draw the next one before this one is spent."""
        lease.left -= cost
        if lease.left < self._low and lease.refill is None:
            self._draw_ahead(key, lease, cost, now_ns)

    def _draw_ahead(self, key: str | int, lease: _Lease, cost: int, now_ns: int) -> None:
        if now_ns >= lease.refused_until_ns:
            self._start_refill(key, lease, cost)

    def _granted(self, lease: _Lease) -> Decision:
        quota = self.limits[lease.grant.binding].quota
        return Decision(True, quota, lease.left, 0, lease.grant.reset_us, Reason.GRANTED)

    def _refuse(self, lease: _Lease, now_ns: int) -> Decision:
        grant = lease.grant
        quota = self.limits[grant.binding].quota
        retry_us = -((now_ns - lease.refused_until_ns) // 1000)
        return Decision(False, quota, grant.left, retry_us, grant.reset_us, Reason.LIMIT)

    def _start_refill(self, key: str | int, lease: _Lease, cost: int) -> None:
        lease.refill = asyncio.create_task(self._refill(key, lease, cost))
        lease.refill.add_done_callback(lease.answer)

    async def _refill(self, key: str | int, lease: _Lease, cost: int) -> None:
        """Draw as much as the store lets us have; a task, so that no cancelled caller loses it."""
        most = self._policy.size // cost * cost
        try:
            grant = await self._breaker.call_async(
                self._counters.take, key, cost, most, self._replicas
            )
        except UnavailableError as error:
            self._count_error(error)
            raise
        finally:
            lease.refill = None
        now_ns = self._clock_ns()
        lease.grant = grant
        if grant.granted:
            kept = lease.left if now_ns < lease.ends_ns else 0
            lease.left = kept + grant.granted
            lease.ends_ns = now_ns + round(self._policy.ttl_s * 1e9)
            lease.refused_cost = 0
        elif grant.retry_us >= 0:
            lease.refused_cost = cost
            lease.refused_until_ns = now_ns + grant.retry_us * 1000

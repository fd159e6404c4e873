"""A limiter whose counts are shared by several processes, in a store behind a circuit breaker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from aetherops.core.counter_input import plain_cost, plain_costs, plain_key, plain_keys
from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.ratelimit.decision import Decision, Reason
from aetherops.ratelimit.limits import WindowLimit, WindowMode, plain_factor
from aetherops.ratelimit.local.limiter import LocalLimiter
from aetherops.ratelimit.local.token_bucket import TokenBucket
from aetherops.ratelimit.local.windows import FixedWindowLimiter, SlidingWindowLimiter
from aetherops.ratelimit.ports import LimiterFigures, StoreFigures
from aetherops.ratelimit.shared.failure import FailurePolicy, GuardsCalls, store_breaker
from aetherops.ratelimit.state import Limit
from aetherops.resilience import BreakerOpenError

__all__ = ["Grant", "SharedCounters", "SharedLimiter", "local_limiter"]

_RETRY_US = 1_000_000
_ONE = 1


class Grant(NamedTuple):
    """What a store answers: what it granted, and how the key stands after it."""

    granted: int
    binding: int
    left: int
    retry_us: int
    reset_us: int


Taken = Grant  # its name in earlier versions


class SharedCounters(Protocol):
    """Counters in a store, one round trip and one key a decision.

    Each method raises ``UnavailableError`` where the store does not answer in time.
    """

    @property
    def limits(self) -> tuple[Limit, ...]: ...

    async def take(self, key: str | int, least: int, most: int, replicas: int = 0) -> Grant:
        """Take as many times ``least`` as there are, up to ``most``."""
        ...

    async def look(self, key: str | int, cost: int) -> Grant:
        """How the key stands, for a cost."""
        ...

    async def give(self, key: str | int, cost: int) -> Grant:
        """Give back what was taken and not used."""
        ...

    def change(self, limits: Sequence[Limit]) -> None:
        """Put other limits of the same kinds in force; credit keeps its share."""
        ...


class SharedLimiter:
    """Decides over shared counters; without them, as the failure policy says.

    Parameters
    ----------
    counters : the store.
    on_failure : what happens while the store does not answer. Each such decision has a reason
        of its own, and is counted in ``fallback_total``.
    replicas : how many processes share the limits: the part of each is that much less when it
        decides alone.
    breaker : keeps calls from a store that has failed; one that opens at once by default.
    """

    def __init__(
        self,
        counters: SharedCounters,
        *,
        on_failure: FailurePolicy = FailurePolicy.LOCAL,
        replicas: int = 1,
        breaker: GuardsCalls | None = None,
    ) -> None:
        if replicas < 1:
            raise InvalidInputError("replicas", replicas, "a whole number from 1")
        self._counters = counters
        self._replicas = replicas
        self._on_failure = FailurePolicy(on_failure)
        self._breaker = breaker or store_breaker("ratelimit")
        self._nominal = counters.limits
        self._local = local_limiter(_shares(counters.limits, replicas))
        self._fallbacks = 0
        self._errors = 0

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits in force."""
        return self._counters.limits

    @property
    def fallback_total(self) -> int:
        """Decisions that were made without the store."""
        return self._fallbacks

    def figures(self) -> LimiterFigures:
        """What this process tracks, and how it fared with the store."""
        store = StoreFigures(self._on_failure, self._fallbacks, self._errors)
        return LimiterFigures(len(self._local), store)

    async def allow(self, key: str | int, cost: int = 1) -> bool:
        """Take ``cost`` from ``key`` if it is there."""
        key, cost = _plain(key, cost)
        try:
            grant = await self._breaker.call_async(self._counters.take, key, cost, cost)
        except UnavailableError as error:
            self._count_error(error)
            return self._without_store(key, cost).allowed
        return grant.granted > 0

    async def decide(self, key: str | int, cost: int = 1) -> Decision:
        """Take ``cost`` from ``key`` if it is there, and say what remains.

        Raises
        ------
        InvalidInputError
            A key or cost of another kind than ``LocalLimiter.allow`` takes.
        """
        key, cost = _plain(key, cost)
        try:
            grant = await self._breaker.call_async(self._counters.take, key, cost, cost)
        except UnavailableError as error:
            self._count_error(error)
            return self._without_store(key, cost)
        return self._told(grant, cost)

    async def decide_many(
        self, keys: Sequence[str | int], costs: int | Sequence[int] = 1
    ) -> list[Decision]:
        """Decide for each key in order, in as few round trips as the store's nodes."""
        pairs = zip(plain_keys(keys), plain_costs(costs, len(keys)), strict=True)
        return await asyncio.gather(*(self.decide(key, cost) for key, cost in pairs))

    async def peek(self, key: str | int, cost: int = 1) -> Decision:
        """What ``decide`` would say, taking nothing."""
        key, cost = _plain(key, cost)
        try:
            grant = await self._breaker.call_async(self._counters.look, key, cost)
        except UnavailableError as error:
            self._count_error(error)
            return self._local.peek(key, cost)
        return self._told(grant._replace(granted=cost if grant.retry_us == 0 else 0), cost)

    async def usage(self, key: str | int) -> float:
        """The used share of a key's limit, from 0.0 to 1.0, rounded to 4 digits."""
        decision = await self.peek(key)
        return round((decision.limit - decision.remaining) / decision.limit, 4)

    async def refund(self, key: str | int, cost: int = 1) -> None:
        """Give back what was granted and not used; lost where the store does not answer."""
        key, cost = _plain(key, cost)
        try:
            await self._breaker.call_async(self._counters.give, key, cost)
        except UnavailableError as error:
            self._count_error(error)
            self._local.refund(key, cost)

    def change(self, *limits: Limit) -> None:
        """Put other limits of the same kinds in force; credit keeps its share."""
        self._counters.change(limits)
        self._local.change(*_shares(limits, self._replicas))
        self._nominal = limits

    def scale(self, factor_permille: int) -> None:
        """Enforce the nominal limits times a factor in thousandths, a whole number from 1."""
        factor_permille = plain_factor(factor_permille)
        scaled = [limit.scaled(factor_permille) for limit in self._nominal]
        self._counters.change(scaled)
        self._local.change(*_shares(scaled, self._replicas))

    def _told(self, grant: Grant, cost: int) -> Decision:
        quota = self._counters.limits[grant.binding].quota
        if grant.granted:
            return Decision(True, quota, grant.left, 0, grant.reset_us, Reason.GRANTED)
        if grant.retry_us < 0:
            return Decision(False, quota, grant.left, None, grant.reset_us, Reason.TOO_LARGE)
        return Decision(False, quota, grant.left, grant.retry_us, grant.reset_us, Reason.LIMIT)

    def _count_error(self, error: UnavailableError) -> None:
        """Count it if the store was asked; the breaker's refusals are no errors of its own."""
        if not isinstance(error, BreakerOpenError):
            self._errors += 1

    def _without_store(self, key: str | int, cost: int) -> Decision:
        self._fallbacks += 1
        quota = self._counters.limits[0].quota
        if self._on_failure is FailurePolicy.FAIL_OPEN:
            return Decision(True, quota, quota, 0, 0, Reason.FAIL_OPEN)
        if self._on_failure is FailurePolicy.FAIL_CLOSED:
            return Decision(False, quota, 0, _RETRY_US, _RETRY_US, Reason.FAIL_CLOSED)
        decision = self._local.decide(key, cost)
        reason = Reason.LOCAL_GRANTED if decision.allowed else Reason.LOCAL_LIMIT
        return decision._replace(reason=reason)


def _plain(key: str | int, cost: int) -> tuple[str | int, int]:
    """Both checked; the usual ones at a glance."""
    if key.__class__ is not str:
        key = plain_key(key)
    return key, cost if cost is _ONE else plain_cost(cost)


def local_limiter(limits: Sequence[Limit]) -> LocalLimiter:
    """The limiter of this process for such limits: several buckets, or one window.

    Raises
    ------
    InvalidInputError
        None, several windows, or buckets beside a window.
    """
    first, *others = limits or (None,)
    if isinstance(first, WindowLimit) and not others:
        return _local_window(first)
    buckets = [limit for limit in limits if not isinstance(limit, WindowLimit)]
    if not buckets or len(buckets) != len(limits):
        raise InvalidInputError("limits", list(limits), "one window, or one or more buckets")
    burst, rate = buckets[0].burst_capacity, buckets[0].refill_rate
    return TokenBucket(burst, rate, also=buckets[1:])


def _local_window(limit: WindowLimit) -> LocalLimiter:
    window_s = limit.window_us / 1e6
    if limit.mode is WindowMode.FIXED:
        return FixedWindowLimiter(limit.quota, window_s)
    return SlidingWindowLimiter(limit.quota, window_s, limit.window_count, mode=limit.mode)


def _shares(limits: Sequence[Limit], replicas: int) -> list[Limit]:
    return [limit.scaled(max(1000 // replicas, 1)) if replicas > 1 else limit for limit in limits]

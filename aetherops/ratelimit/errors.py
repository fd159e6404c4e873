"""What is raised where a rate limit refuses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aetherops.errors import RefusedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.ratelimit.decision import Decision
    from aetherops.ratelimit.state import Limit

__all__ = ["ForeignEntryError", "RateLimitedError"]


class RateLimitedError(RefusedError):
    """More than a rate limit allows for now.

    Parameters
    ----------
    policy : the limit's name.
    decision : what it decided, and when to come again.
    limits : what the policy enforces, for those who are to be told.
    """

    def __init__(self, policy: str, decision: Decision, limits: Sequence[Limit] = ()) -> None:
        self.policy = policy
        self.decision = decision
        self.limits = limits
        super().__init__(policy, decision)

    @property
    def retry_after_s(self) -> int | None:
        """Whole seconds until the same request may pass; ``None`` for never."""
        wait_us = self.decision.retry_after_us
        return None if wait_us is None else max(1, math.ceil(wait_us / 1e6))

    def __str__(self) -> str:
        if self.retry_after_s is None:
            return f"rate limit {self.policy!r}: at most {self.decision.limit:,} at once"
        return f"rate limit {self.policy!r}: try again in {self.retry_after_s} s"


class ForeignEntryError(UnavailableError):
    """The store answers, but what it holds under a limited key is no counter: others wrote it.

    It concerns that key alone, so it says nothing about the store (``store_breaker``).
    """

    def __str__(self) -> str:
        return f"{self.dependency} holds something else than a counter under this key"

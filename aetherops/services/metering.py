"""What a service needs to know of whoever pays for its work."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Meter"]


class Meter(Protocol):
    """Takes the cost of a piece of work from somebody's limit, before the work is done."""

    async def charge(self, cost: int) -> None:
        """Pay `cost` units; raises `RateLimitedError` where too much is spent already."""
        ...

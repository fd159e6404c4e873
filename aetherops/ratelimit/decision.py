"""The answer of a limiter, with what the caller needs to act on it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Decision", "Reason"]


class Reason(StrEnum):
    """Why a decision was what it was."""

    GRANTED = "granted"
    LIMIT = "limit"
    """Too much for now."""
    TOO_LARGE = "too_large"
    """The cost is above the limit: it will never be granted."""
    NO_ROOM = "no_room"
    """The table is full of keys in use, and the key is not among them."""
    LOCAL_GRANTED = "local_granted"
    """The shared store does not answer; this process's share had room."""
    LOCAL_LIMIT = "local_limit"
    """The shared store does not answer; this process's share is used up."""
    FAIL_OPEN = "fail_open"
    """The shared store does not answer, and the policy is to grant."""
    FAIL_CLOSED = "fail_closed"
    """The shared store does not answer, and the policy is to refuse."""
    SHADOWED = "shadowed"
    """It would have been refused, but the limiter only watches."""


class Decision(NamedTuple):
    """Whether a request may pass; true where it may.

    ``limit`` and ``remaining`` are those of the limit that binds most, in units of cost.
    ``retry_after_us`` is 0 where it passed, and None where this cost never will;
    ``reset_after_us`` is when the key will be as if it had never been seen.
    """

    allowed: bool
    limit: int
    remaining: int
    retry_after_us: int | None
    reset_after_us: int
    reason: Reason

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def retry_after_s(self) -> float | None:
        """Seconds until the same cost could be granted; None for never."""
        return None if self.retry_after_us is None else self.retry_after_us / 1e6

    @property
    def reset_after_s(self) -> float:
        """Seconds until the key is as if never seen."""
        return self.reset_after_us / 1e6

"""What every event store checks of a reading."""

from __future__ import annotations

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.workflow.store import MAX_EVENTS_AT_ONCE

__all__ = ["checked_limit", "checked_position"]


def checked_position(value: object, field: str) -> int:
    """A position or a version to read from: 0 or more; raises `InvalidInputError`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise InvalidInputError(field, value, "a whole number from 0")
    return value


def checked_limit(value: object) -> int:
    """How many events to read: 1 to `MAX_EVENTS_AT_ONCE`; raises an error otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidInputError("limit", value, "a whole number from 1")
    if value > MAX_EVENTS_AT_ONCE:
        raise LimitExceededError("events in one reading", MAX_EVENTS_AT_ONCE, value)
    return value

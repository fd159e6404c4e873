"""Checks of single values: what stands in events and states, and how JSON says it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from aetherops.errors import InvalidInputError
from aetherops.workflow.json_values import checked_text
from aetherops.workflow.states import STAGES, STATES

__all__ = [
    "FORMS",
    "Check",
    "boolean",
    "count",
    "form",
    "instant",
    "instant_from_json",
    "name_text",
    "optional",
    "positive",
    "stage",
    "state",
    "text",
    "uuid",
]

#: Takes a value and the field it stands in, returns what the event keeps, or raises
#: `InvalidInputError`.
Check: TypeAlias = Callable[[Any, str], Any]

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
#: What a workflow moves through: `STATES`, or the `STAGES` of a mission.
FORMS = ("workflow", "mission")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_INT = 2**63 - 1


def name_text(value: object, field: str) -> str:
    """A name: 1 to 200 characters, none of which is a control character."""
    if type(value) is str and value.isascii() and value.isprintable() and 0 < len(value) < 201:
        return value  # nearly every name, at the speed that long histories are read with
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InvalidInputError(
            field, value, "text of 1 to 200 characters, none of them a control character"
        )
    return checked_text(value, field)


def state(value: object, field: str) -> str:
    """A state of a workflow."""
    if value not in STATES:
        raise InvalidInputError(field, value, f"one of {', '.join(STATES)}")
    return str(value)


def stage(value: object, field: str) -> str:
    """A stage of a mission."""
    if value not in STAGES:
        raise InvalidInputError(field, value, f"one of {', '.join(STAGES)}")
    return str(value)


def form(value: object, field: str) -> str:
    """What a workflow moves through."""
    if value not in FORMS:
        raise InvalidInputError(field, value, f"one of {', '.join(FORMS)}")
    return str(value)


def text(value: object, field: str) -> str:
    """Any text, also an empty one."""
    if not isinstance(value, str):
        raise InvalidInputError(field, value, "text")
    return checked_text(value, field)


def positive(value: object, field: str) -> int:
    """A whole number from 1."""
    if type(value) is int and 1 <= value <= _MAX_INT:
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MAX_INT:
        raise InvalidInputError(field, value, "a whole number from 1")
    return int(value)


def instant(value: object, field: str) -> datetime:
    """An instant from 1970 on, in UTC."""
    if type(value) is datetime and value.tzinfo is UTC and value >= _EPOCH:
        return value
    if not isinstance(value, datetime):
        raise InvalidInputError(field, value, "a datetime")
    if value.utcoffset() is None:
        raise InvalidInputError(
            field, value.isoformat(), "a time with an offset, such as 2026-01-31T12:00:00Z"
        )
    if value < _EPOCH:
        raise InvalidInputError(field, value.isoformat(), "a time from 1970-01-01T00:00:00Z on")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidInputError(field, value.isoformat(), "a time up to the year 9999") from None


def uuid(value: object, field: str) -> UUID:
    """A UUID."""
    if not isinstance(value, UUID):
        raise InvalidInputError(field, value, "a UUID")
    return value


def boolean(value: object, field: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise InvalidInputError(field, value, "true or false")
    return value


def optional(check: Check) -> Check:
    """The same check, which None passes too."""

    def checked(value: Any, field: str) -> Any:
        return None if value is None else check(value, field)

    return checked


def count(value: object, field: str) -> int:
    """A whole number from 0."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_INT:
        raise InvalidInputError(field, value, "a whole number from 0")
    return int(value)


def instant_from_json(value: object, field: str) -> datetime:
    """An instant, from its ISO 8601 text."""
    written = text(value, field)
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        raise InvalidInputError(field, value, "an ISO 8601 time with an offset") from None
    return instant(read, field)

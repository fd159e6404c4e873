"""Instants between the schema, which counts microseconds, and workflows, which have datetimes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.errors import InvalidInputError
from aetherops.instants import from_us, to_iso, to_us

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["datetime_of", "instant_of", "us_of"]


def us_of(instant: datetime | None) -> int | None:
    """What the scalar `DateTime` takes of an instant."""
    return None if instant is None else to_us(instant)


def datetime_of(us: int | None, name: str) -> datetime | None:
    """The instant that an argument of the type `DateTime` means, where one is given."""
    return None if us is None else instant_of(us, name)


def instant_of(us: int, name: str) -> datetime:
    """The instant that an argument means; none of events lies before 1970."""
    if us < 0:
        raise InvalidInputError(name, to_iso(us), "a time from 1970-01-01T00:00:00Z on")
    return from_us(us)

"""Instants between the schema, which counts microseconds, and workflows, which have datetimes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.instants import from_us, to_us

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["datetime_of", "us_of"]


def us_of(instant: datetime | None) -> int | None:
    """What the scalar `DateTime` takes of an instant."""
    return None if instant is None else to_us(instant)


def datetime_of(us: int | None) -> datetime | None:
    """The instant that an argument of the type `DateTime` means."""
    return None if us is None else from_us(us)

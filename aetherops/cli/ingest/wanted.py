"""What the options of ``aetherops ingest`` say about a file."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aetherops.archive.csv.layout import Wanted
from aetherops.archive.csv.times import EpochUnit
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from datetime import tzinfo

__all__ = ["wanted_of", "zone_named"]


def wanted_of(
    time_column: str | None,
    value_column: str | None,
    timezone: str | None,
    epoch_unit: str | None,
) -> Wanted:
    """The options as one value; raises `InvalidInputError` for an unknown zone."""
    return Wanted(
        time_column,
        value_column,
        None if epoch_unit is None else EpochUnit(epoch_unit),
        None if timezone is None else zone_named(timezone),
    )


def zone_named(name: str) -> tzinfo:
    """The time zone of the IANA data base with this name."""
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(
            "--timezone", name, "an IANA time zone such as UTC or Europe/Paris"
        ) from error

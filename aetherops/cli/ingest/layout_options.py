"""What the options of ``aetherops ingest`` say about a file."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, TypedDict, Unpack
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aetherops.archive.csv.layout import LayoutOptions
from aetherops.archive.csv.times.texts import EpochUnit
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

__all__ = ["check_choice", "layout_options", "zone_named"]


class _MoreOptions(TypedDict, total=False):
    value_columns: tuple[str, ...]
    all_columns: bool
    split_by: str | None
    decimal_comma: bool | None
    missing: frozenset[str]


def check_choice(
    stream: str | None, mapped: Sequence[str], value_column: str | None, all_columns: bool
) -> None:
    """Refuse options that leave open which columns go where, or say it twice."""
    if stream is None and not mapped:
        raise InvalidInputError("--stream", "nothing", "service/source/parameter, or --map")
    if mapped and (stream is not None or value_column is not None or all_columns):
        expected = "it without --stream, --value-column and --all-columns"
        raise InvalidInputError("--map", mapped[0], expected)
    if all_columns and value_column is not None:
        raise InvalidInputError("--value-column", value_column, "it without --all-columns")
    if all_columns and stream is not None and "{column}" not in stream:
        raise InvalidInputError(
            "--stream", stream, "a name with {column}, such as service/source/{column}"
        )


def layout_options(
    time_column: str | None,
    value_column: str | None,
    timezone: str | None,
    epoch_unit: str | None,
    **more: Unpack[_MoreOptions],
) -> LayoutOptions:
    """The options as one value; raises `InvalidInputError` for an unknown zone."""
    return LayoutOptions(
        time_column,
        value_column,
        None if epoch_unit is None else EpochUnit(epoch_unit),
        None if timezone is None else zone_named(timezone),
        **more,
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

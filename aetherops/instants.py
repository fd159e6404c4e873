"""Instants: UTC-aware datetimes at the edges, integer microseconds since 1970 inside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aetherops.errors import InvalidInputError

__all__ = ["from_us", "parse_us", "to_iso", "to_us"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime, field: str = "instant") -> int:
    """Microseconds since 1970-01-01T00:00:00Z of an aware datetime.

    Raises
    ------
    InvalidInputError
        The datetime is naive: without an offset it names no instant.
    """
    if instant.utcoffset() is None:
        raise InvalidInputError(
            field, instant.isoformat(), "a time with an offset, such as 2026-01-31T12:00:00Z"
        )
    return (instant - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The UTC datetime of microseconds since 1970-01-01T00:00:00Z."""
    return _EPOCH + timedelta(microseconds=us)


def parse_us(text: str, field: str = "instant") -> int:
    """Microseconds of an ISO 8601 (RFC 3339) time that carries an offset.

    Raises
    ------
    InvalidInputError
        The text is no ISO 8601 time, or has no offset.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(
            field, text, "an ISO 8601 time with an offset, such as 2026-01-31T12:00:00Z"
        ) from None
    return to_us(instant, field)


def to_iso(us: int) -> str:
    """ISO 8601 text of an instant, UTC, with ``Z`` and as few digits as it needs (0, 3 or 6)."""
    instant = from_us(us)
    if us % 1_000_000 == 0:
        digits = "seconds"
    else:
        digits = "milliseconds" if us % 1_000 == 0 else "microseconds"
    return instant.replace(tzinfo=None).isoformat(timespec=digits) + "Z"

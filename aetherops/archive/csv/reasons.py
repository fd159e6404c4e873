"""Why a row of a file gives no sample."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Reason", "RowError"]


class Reason(StrEnum):
    """Why a row was rejected."""

    FIELDS = "wrong number of fields"
    QUOTES = "broken quotes"
    TIME = "unreadable time"
    NAIVE_TIME = "time without offset"
    OTHER_UNIT = "time in another unit"
    TIME_RANGE = "time outside the years 1 to 9999"
    OBJECT = "unusable object"
    EMPTY_VALUE = "empty value"
    VALUE = "unreadable value"
    NON_FINITE = "non-finite value"


class RowError(Exception):
    """A row that gives no sample; `detail` says what was found and what was expected."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason, detail)

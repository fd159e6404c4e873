"""What a client is told when something went wrong: a code, a message, and no secret.

Whatever carries the answer adds what is its own: `api.http.failures` a status and headers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import structlog

from aetherops.archive.intake import BacklogFullError
from aetherops.archive.metadata import StreamConflictError
from aetherops.errors import (
    ForbiddenError,
    InvalidInputError,
    LimitExceededError,
    NotFoundError,
    RefusedError,
    UnauthenticatedError,
    UnavailableError,
)
from aetherops.instants import to_iso, to_us
from aetherops.ratelimit.errors import RateLimitedError
from aetherops.workflow import (
    ConcurrencyError,
    IllegalMoveError,
    NotYetCreatedError,
    UnknownBeforeMigrationError,
    UnreadableEventError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = ["ErrorCode", "Failure", "describe", "seconds_to_retry"]

_log = structlog.get_logger(__name__)

#: Every code that a client may meet; docs/graphql.md says what each means.
ErrorCode = Literal[
    "BACKLOG_FULL",
    "BAD_INPUT",
    "CONFLICT",
    "FORBIDDEN",
    "INTERNAL",
    "LIMIT_EXCEEDED",
    "METHOD_NOT_ALLOWED",
    "NOT_ACCEPTABLE",
    "NOT_FOUND",
    "THROTTLED",
    "TIMED_OUT",
    "UNAUTHENTICATED",
    "UNAVAILABLE",
    "UNSUPPORTED_MEDIA_TYPE",
]


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as a client sees it.

    Parameters
    ----------
    code : a word for programs, such as ``"BAD_INPUT"``.
    message : for people.
    details : more for programs: field, expected, limit, retryAfter.
    """

    code: ErrorCode
    message: str
    details: Mapping[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Code and details, as they stand beside the message."""
        return {"code": self.code, **self.details}


def describe(error: Exception) -> Failure:
    """The failure that an exception means.

    What was not raised for a client's eyes is logged under an id, and only the id is told.
    """
    if (failure := _telling_more(error)) is not None:
        return failure
    match error:
        case InvalidInputError():
            details = {"field": error.field, "expected": error.expected}
            return Failure("BAD_INPUT", str(error), details)
        case UnauthenticatedError():
            return Failure("UNAUTHENTICATED", str(error))
        case ForbiddenError():
            return Failure("FORBIDDEN", str(error))
        case NotFoundError():
            return Failure("NOT_FOUND", str(error), {"kind": error.kind, "name": error.name})
        case LimitExceededError():
            return Failure(
                "LIMIT_EXCEEDED",
                str(error),
                {"what": error.what, "limit": error.limit, "asked": error.asked},
            )
        case RateLimitedError():
            return Failure(
                "THROTTLED",
                str(error),
                {"policy": error.policy, "retryAfter": error.retry_after_s},
            )
        case RefusedError():
            return Failure("CONFLICT", str(error))
        case UnavailableError():
            return Failure(
                "BACKLOG_FULL" if isinstance(error, BacklogFullError) else "UNAVAILABLE",
                str(error),
                {"dependency": error.dependency, "retryAfter": seconds_to_retry(error)},
            )
    return _internal(error)


def seconds_to_retry(error: UnavailableError) -> int:
    """Whole seconds after which a client should come again."""
    return max(1, math.ceil(error.retry_after_s))


def _telling_more(error: Exception) -> Failure | None:
    """Errors of which programs are told more than of their branch of the tree."""
    match error:
        case StreamConflictError():
            told = {"stream": error.stream, "field": error.field}
            told |= {"stored": error.stored, "given": error.given}
            return Failure("CONFLICT", str(error), told)
        case NotYetCreatedError():
            return _nothing_then(error, error.created_at)
        case UnknownBeforeMigrationError():
            return _nothing_then(error, error.known_since)
        case IllegalMoveError():
            details = {"status": error.status, "allowed": list(error.allowed)}
            return Failure("CONFLICT", str(error), details)
        case ConcurrencyError():
            return Failure("CONFLICT", str(error), {"version": error.actual})
        case UnreadableEventError():
            ours = _internal(error)
            read = {"kind": error.kind, "schemaVersion": error.schema_version}
            return Failure(ours.code, f"{ours.message}: {error}", {**ours.details, **read})
    return None


def _nothing_then(error: NotFoundError, known_since: datetime) -> Failure:
    details = {"kind": error.kind, "name": error.name, "knownSince": to_iso(to_us(known_since))}
    return Failure("NOT_FOUND", str(error), details)


def _internal(error: Exception) -> Failure:
    error_id = uuid4().hex[:12]
    _log.error("request_failed", error_id=error_id, exc_info=error)
    return Failure("INTERNAL", f"internal error {error_id}", {"id": error_id})

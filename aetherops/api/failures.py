"""What a client is told when something went wrong: a code, a status, and no secret."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog
from starlette.exceptions import HTTPException

from aetherops.api.http.json_responses import OrjsonResponse
from aetherops.errors import (
    ForbiddenError,
    InvalidInputError,
    LimitExceededError,
    NotFoundError,
    RefusedError,
    UnauthenticatedError,
    UnavailableError,
)
from aetherops.ratelimit.errors import RateLimitedError
from aetherops.ratelimit.headers import limit_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

__all__ = ["Failure", "describe", "respond_with_failure"]

_log = structlog.get_logger(__name__)

_HTTP_CODES = {
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "TIMED_OUT",
    413: "LIMIT_EXCEEDED",
    415: "UNSUPPORTED_MEDIA_TYPE",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as a client sees it.

    Parameters
    ----------
    code : a word for programs, such as ``"BAD_INPUT"``.
    status : of the HTTP response.
    message : for people.
    details : more for programs: field, expected, limit, retryAfter.
    headers : of the HTTP response.
    """

    code: str
    status: int
    message: str
    details: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_response(self) -> OrjsonResponse:
        """The failure as a JSON response: ``{"error": {"code", "message", …}}``."""
        error = {"code": self.code, "message": self.message, **self.details}
        return OrjsonResponse({"error": error}, self.status, dict(self.headers))


def describe(error: Exception) -> Failure:
    """The failure that an exception means.

    What was not raised for a client's eyes is logged under an id, and only the id is told.
    """
    details: dict[str, object]
    match error:
        case InvalidInputError():
            details = {"field": error.field, "expected": error.expected}
            return Failure("BAD_INPUT", 400, str(error), details)
        case UnauthenticatedError():
            headers = {"WWW-Authenticate": 'Bearer realm="aetherops"'}
            return Failure("UNAUTHENTICATED", 401, str(error), headers=headers)
        case ForbiddenError():
            return Failure("FORBIDDEN", 403, str(error))
        case NotFoundError():
            return Failure("NOT_FOUND", 404, str(error), {"kind": error.kind, "name": error.name})
        case LimitExceededError():
            details = {"what": error.what, "limit": error.limit, "asked": error.asked}
            return Failure("LIMIT_EXCEEDED", 413, str(error), details)
        case RateLimitedError():
            details = {"policy": error.policy, "retryAfter": error.retry_after_s}
            headers = limit_fields(error.policy, error.decision)
            return Failure("THROTTLED", 429, str(error), details, headers)
        case RefusedError():
            return Failure("CONFLICT", 409, str(error))
        case UnavailableError():
            seconds = max(1, math.ceil(error.retry_after_s))
            details = {"dependency": error.dependency, "retryAfter": seconds}
            headers = {"Retry-After": str(seconds)}
            return Failure("UNAVAILABLE", 503, str(error), details, headers)
        case HTTPException():
            code = _HTTP_CODES.get(error.status_code, "BAD_INPUT")
            return Failure(code, error.status_code, error.detail, headers=error.headers or {})
    return _internal(error)


async def respond_with_failure(request: Request, error: Exception) -> OrjsonResponse:
    """Starlette's exception handler for everything an endpoint may raise."""
    return describe(error).to_response()


def _internal(error: Exception) -> Failure:
    error_id = uuid4().hex[:12]
    _log.error("request_failed", error_id=error_id, exc_info=error)
    return Failure("INTERNAL", 500, f"internal error {error_id}", {"id": error_id})

"""Failures over HTTP: the status and the headers that go with each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from aetherops.api.failures import ErrorCode, Failure, describe, seconds_to_retry
from aetherops.api.http.json_responses import OrjsonResponse
from aetherops.errors import UnauthenticatedError, UnavailableError
from aetherops.ratelimit.errors import RateLimitedError
from aetherops.ratelimit.headers import refusal_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

__all__ = ["HttpFailure", "describe_http", "headers_of", "respond_with_failure"]

_STATUS: dict[ErrorCode, int] = {
    "BAD_INPUT": 400,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "LIMIT_EXCEEDED": 413,
    "THROTTLED": 429,
    "INTERNAL": 500,
    "BACKLOG_FULL": 503,
    "UNAVAILABLE": 503,
}
# What HTTP itself refuses: a method, a media type, a slow body.
_CODES: dict[int, ErrorCode] = {
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "TIMED_OUT",
    413: "LIMIT_EXCEEDED",
    415: "UNSUPPORTED_MEDIA_TYPE",
    504: "TIMED_OUT",
}


@dataclass(frozen=True, slots=True)
class HttpFailure:
    """A failure, and the status and headers of the response that tells it."""

    failure: Failure
    status: int
    headers: Mapping[str, str]

    def to_response(self) -> OrjsonResponse:
        """The failure as a JSON response: ``{"error": {"code", "message", …}}``."""
        failure = self.failure
        error = {"code": failure.code, "message": failure.message, **failure.details}
        return OrjsonResponse({"error": error}, self.status, dict(self.headers))


def describe_http(error: Exception) -> HttpFailure:
    """The failure that an exception means, as HTTP tells it."""
    if isinstance(error, HTTPException):
        code = _CODES.get(error.status_code, "BAD_INPUT")
        return HttpFailure(Failure(code, error.detail), error.status_code, error.headers or {})
    failure = describe(error)
    return HttpFailure(failure, _STATUS[failure.code], headers_of(error))


def headers_of(error: Exception | None) -> dict[str, str]:
    """What headers say of an error: when to come again, what is left, how to be let in."""
    match error:
        case UnauthenticatedError():
            return {"WWW-Authenticate": 'Bearer realm="aetherops"'}
        case RateLimitedError():
            return refusal_fields(error)
        case UnavailableError():
            return {"Retry-After": str(seconds_to_retry(error))}
    return {}


async def respond_with_failure(request: Request, error: Exception) -> OrjsonResponse:
    """Starlette's exception handler for everything an endpoint may raise."""
    return describe_http(error).to_response()

"""What is said to a client whose request never reaches the application."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "HEAD_TIMED_OUT",
    "MALFORMED",
    "NO_CONNECTION_FREE",
    "REASONS",
    "Code",
    "Reason",
    "Refusal",
    "too_large_a_head",
    "too_much_framing",
]


#: Of those that the application answers by too.
Code = Literal["BAD_INPUT", "LIMIT_EXCEEDED", "TIMED_OUT", "UNAVAILABLE"]

#: Why a connection was refused or ended, as metrics name it.
Reason = Literal[
    "malformed",
    "head_timed_out",
    "too_large",
    "no_connection_free",
    "made_room",
    "reader_too_slow",
]
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer in the application's own form, after which the connection is closed.

    Parameters
    ----------
    reason : what it is counted as.
    status : of the response.
    code, message : what happened, for programs and for people.
    details : more for programs; a ``retryAfter`` is sent as a header too.
    """

    reason: Reason
    status: HTTPStatus
    code: Code
    message: str
    details: Mapping[str, object] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The whole HTTP response."""
        error = {"code": self.code, "message": self.message, **self.details}
        body = json.dumps({"error": error}).encode()
        headers = {
            "content-type": "application/json",
            "content-length": len(body),
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "connection": "close",
        }
        if "retryAfter" in self.details:
            headers["retry-after"] = str(self.details["retryAfter"])
        lines = [f"HTTP/1.1 {self.status.value} {self.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body


MALFORMED = Refusal(
    "malformed",
    HTTPStatus.BAD_REQUEST,
    "BAD_INPUT",
    "this is no well-formed HTTP/1.1 request",
)
HEAD_TIMED_OUT = Refusal(
    "head_timed_out",
    HTTPStatus.REQUEST_TIMEOUT,
    "TIMED_OUT",
    "the request's headers did not arrive in time",
)
NO_CONNECTION_FREE = Refusal(
    "no_connection_free",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "UNAVAILABLE",
    "every connection is in use, try again in 1 s",
    {"dependency": "http connections", "retryAfter": 1},
)


def too_large_a_head(what: str, limit: int) -> Refusal:
    """The request line and headers are more than `limit`."""
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return _limit(status, what, limit)


def too_much_framing(limit: int) -> Refusal:
    """A chunked body has more around its bytes than any sender needs."""
    return _limit(HTTPStatus.BAD_REQUEST, "bytes of chunk extensions and trailers", limit)


def _limit(status: HTTPStatus, what: str, limit: int) -> Refusal:
    details = {"what": what, "limit": limit}
    message = f"{what}: at most {limit:,}"
    return Refusal("too_large", status, "LIMIT_EXCEEDED", message, details)

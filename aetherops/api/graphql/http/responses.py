"""Answers as HTTP responses, with the status that GraphQL over HTTP asks for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from starlette.responses import Response

from aetherops.api.graphql.engine.errors import describe_graphql
from aetherops.api.http.bodies import JSON_TYPE
from aetherops.api.http.json_responses import encode_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphql import ExecutionResult

    from aetherops.api.failures import Failure
    from aetherops.api.graphql.engine.errors import GraphQLFailure

__all__ = ["RESPONSE_TYPE", "Answer", "answer_of", "refusal_of"]

RESPONSE_TYPE = "application/graphql-response+json"

# Where nothing could be answered, and the client should come again later.
_STATUS_OF_NOTHING = {"UNAVAILABLE": 503, "THROTTLED": 429}


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the client.

    Parameters
    ----------
    content : ``data`` and ``errors``; may hold NumPy arrays.
    codes : of its errors.
    status, headers : of the HTTP response.
    """

    content: Mapping[str, object]
    codes: Sequence[str] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """The same with more headers; its own count first."""
        return replace(self, headers={**headers, **self.headers})

    def to_response(self, media_type: str) -> Response:
        """Encode it."""
        content_type = f"{media_type}; charset=utf-8"
        return Response(encode_json(self.content), self.status, dict(self.headers), content_type)


def answer_of(result: ExecutionResult, media_type: str) -> Answer:
    """The answer that a result means; ``data`` is there only where execution began."""
    failures = [describe_graphql(error) for error in result.errors or ()]
    refused = any(failure.before_execution for failure in failures)
    content: dict[str, object] = {}
    if failures:
        content["errors"] = [failure.to_json() for failure in failures]
    if not refused:
        content["data"] = result.data
    codes = [failure.code for failure in failures]
    if result.data is None and len(set(codes)) == 1 and codes[0] in _STATUS_OF_NOTHING:
        return Answer(content, codes, _STATUS_OF_NOTHING[codes[0]], failures[0].headers)
    return Answer(content, codes, _status(refused, failures, media_type))


def refusal_of(failure: Failure) -> Answer:
    """The answer to a request that is refused before GraphQL comes to it."""
    extensions = {"code": failure.code, **failure.details}
    errors = [{"message": failure.message, "extensions": extensions}]
    return Answer({"errors": errors}, [failure.code], failure.status, failure.headers)


def _status(refused: bool, failures: Sequence[GraphQLFailure], media_type: str) -> int:
    """Plain JSON says 200 to every well-formed request; the newer type says 400 to a refused one.

    A fault of ours before execution is a 500 in both.
    """
    if not refused:
        return 200
    if any(failure.code == "INTERNAL" for failure in failures):
        return 500
    return 200 if media_type == JSON_TYPE else 400

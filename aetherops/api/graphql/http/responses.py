"""Answers as HTTP responses, with the status that GraphQL over HTTP asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from aetherops.api.http.bodies import JSON_TYPE
from aetherops.api.http.failures import headers_of
from aetherops.api.http.json_responses import encode_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.api.graphql.engine.answers import GraphQLAnswer
    from aetherops.api.http.failures import HttpFailure

__all__ = ["RESPONSE_TYPE", "respond", "respond_with_refusal"]

RESPONSE_TYPE = "application/graphql-response+json"

# Where nothing could be answered, and the client should come again later.
_STATUS_OF_NOTHING = {"UNAVAILABLE": 503, "THROTTLED": 429}


def respond(answer: GraphQLAnswer, media_type: str, headers: Mapping[str, str]) -> Response:
    """An answer of the engine.

    Parameters
    ----------
    headers : of the response, beside those that a failure brings.
    """
    status = _status_of_nothing(answer)
    if status is None:
        return _response(answer.to_json(), _status(answer, media_type), headers, media_type)
    of_failure = headers_of(answer.failures[0].cause)
    return _response(answer.to_json(), status, {**headers, **of_failure}, media_type)


def respond_with_refusal(refused: HttpFailure, media_type: str) -> Response:
    """The answer to a request that is refused before GraphQL comes to it."""
    failure = refused.failure
    errors = [{"message": failure.message, "extensions": failure.to_json()}]
    return _response({"errors": errors}, refused.status, refused.headers, media_type)


def _response(
    content: object, status: int, headers: Mapping[str, str], media_type: str
) -> Response:
    content_type = f"{media_type}; charset=utf-8"
    return Response(encode_json(content), status, dict(headers), content_type)


def _status_of_nothing(answer: GraphQLAnswer) -> int | None:
    """The status where all that failed did so for one passing reason, and nothing is left."""
    codes = set(answer.codes)
    if answer.data is not None or len(codes) != 1:
        return None
    return _STATUS_OF_NOTHING.get(codes.pop())


def _status(answer: GraphQLAnswer, media_type: str) -> int:
    """Plain JSON says 200 to every well-formed request; the newer type says 400 to a refused one.

    A fault of ours before execution is a 500 in both.
    """
    if not answer.is_refusal:
        return 200
    if "INTERNAL" in answer.codes:
        return 500
    return 200 if media_type == JSON_TYPE else 400

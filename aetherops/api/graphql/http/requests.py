"""What a client asks, read from the body of a POST or the query of a GET."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.api.graphql.engine.engine import GraphQLRequest
from aetherops.api.http.bodies import JSON_TYPE, parse_json, read_body, sent_type
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["read_request"]

MAX_BODY_BYTES = 2**20


async def read_request(request: Request) -> GraphQLRequest:
    """The question in an HTTP request.

    Raises
    ------
    InvalidInputError
        A parameter is missing or of the wrong type, or the JSON is malformed.
    LimitExceededError
        The body is too long.
    """
    if request.method == "POST":
        sent_type(request, (JSON_TYPE,))
        return _from_json(parse_json(await read_body(request, MAX_BODY_BYTES)))
    parameters: dict[str, object] = dict(request.query_params)
    for name in ("variables", "extensions"):
        text = parameters.get(name)
        if isinstance(text, str):
            parameters[name] = parse_json(text, name) if text else None
    return _from_json(parameters)


def _from_json(content: object) -> GraphQLRequest:
    if isinstance(content, list):
        raise InvalidInputError("body", f"{len(content)} requests", "one request, not a batch")
    if not isinstance(content, dict):
        raise InvalidInputError("body", content, "an object with a query")
    query = content.get("query")
    if not isinstance(query, str) or not query.strip():
        raise InvalidInputError("query", query, "a GraphQL document as text")
    operation_name = content.get("operationName")
    if not isinstance(operation_name, str | None):
        raise InvalidInputError("operationName", operation_name, "text")
    for name in ("variables", "extensions"):
        if not isinstance(content.get(name), dict | None):
            raise InvalidInputError(name, content[name], "an object")
    return GraphQLRequest(query, operation_name or None, content.get("variables"))

"""GraphQL over HTTP: one request in, one answer out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import OperationType
from starlette.exceptions import HTTPException

from aetherops.api.admission import OperatorMeter
from aetherops.api.explorer import Explorer
from aetherops.api.graphql.engine.answers import GraphQLAnswer
from aetherops.api.graphql.engine.documents import RefusedDocument
from aetherops.api.graphql.http.requests import read_request
from aetherops.api.graphql.http.responses import RESPONSE_TYPE, respond, respond_with_refusal
from aetherops.api.http.authentication import authenticate
from aetherops.api.http.bodies import JSON_TYPE, preferred_type
from aetherops.api.http.failures import describe_http

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from aetherops.api.graphql.engine.engine import GraphQLEngine, Operation
    from aetherops.api.services import ApiServices

__all__ = ["GraphQLEndpoint"]

_HTML_TYPE = "text/html"


class GraphQLEndpoint:
    """``POST`` and ``GET /graphql``; a browser that only looks gets the explorer."""

    def __init__(self, services: ApiServices, engine: GraphQLEngine) -> None:
        self._services = services
        self._engine = engine
        self._explorer = Explorer.load()

    async def respond(self, request: Request) -> Response:
        """Answer one request; whatever goes wrong is told in GraphQL's own form."""
        media_type = JSON_TYPE
        try:
            media_type = _response_type(request)
            if media_type == _HTML_TYPE:
                return self._explorer.to_response()
            return await self._answer(request, media_type)
        except Exception as error:
            refused = describe_http(error)
            self._count([refused.failure.code])
            return respond_with_refusal(refused, media_type)

    async def _answer(self, request: Request, media_type: str) -> Response:
        operator = authenticate(request, self._services.verifier, "read")
        meter = OperatorMeter(self._services.admission.queries, operator.operator_id)
        try:
            operation = self._engine.prepare(await read_request(request))
        except RefusedDocument as refused:
            answer = GraphQLAnswer.refusal(refused.errors)
        else:
            _check_method(request.method, operation)
            answer = await self._engine.execute(operation, operator, meter)
        response = respond(answer, media_type, meter.headers)
        self._count(answer.codes)
        return response

    def _count(self, codes: list[str]) -> None:
        for code in codes:
            self._services.metrics.graphql_errors.labels(code).inc()


def _response_type(request: Request) -> str:
    """The media type of the answer, as the client prefers."""
    accept = request.headers.get("accept", "").lower()
    # Plain JSON for those who name nothing, the newer type for those who name it.
    offers = [RESPONSE_TYPE, JSON_TYPE] if RESPONSE_TYPE in accept else [JSON_TYPE, RESPONSE_TYPE]
    if request.method != "POST" and "query" not in request.query_params:
        offers.append(_HTML_TYPE)
    chosen = preferred_type(accept, offers)
    if chosen is None:
        raise HTTPException(406, f"accept {' or '.join(offers)}")
    return chosen


def _check_method(method: str, operation: Operation) -> None:
    if method != "POST" and operation.kind not in (OperationType.QUERY, None):
        raise HTTPException(405, "GET is for queries only: send a POST", {"Allow": "POST"})

"""GraphQL over HTTP: one request in, one answer out."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from graphql import ExecutionResult, GraphQLError, OperationType, execute
from graphql.utilities import get_operation_ast
from starlette.exceptions import HTTPException

from aetherops.api.explorer import Explorer
from aetherops.api.failures import describe
from aetherops.api.graphql.engine.budget import QueryBudget, QueryMeter
from aetherops.api.graphql.engine.documents import DocumentCache, RefusedDocument
from aetherops.api.graphql.engine.execution import ColumnExecutionContext
from aetherops.api.graphql.http.requests import GraphQLRequest, read_request
from aetherops.api.graphql.http.responses import RESPONSE_TYPE, Answer, answer_of, refusal_of
from aetherops.api.graphql.schema.root import QueryContext, build_schema
from aetherops.api.http.authentication import authenticate
from aetherops.api.http.bodies import JSON_TYPE, preferred_type
from aetherops.errors import InvalidInputError, LimitExceededError

if TYPE_CHECKING:
    from graphql import DocumentNode
    from starlette.requests import Request
    from starlette.responses import Response

    from aetherops.api.services import ApiServices
    from aetherops.identity.operators import Operator

__all__ = ["GraphQLEndpoint"]

_HTML_TYPE = "text/html"


class GraphQLEndpoint:
    """``POST`` and ``GET /graphql``; a browser that only looks gets the explorer."""

    def __init__(self, services: ApiServices) -> None:
        self._services = services
        self._schema = build_schema()
        self._documents = DocumentCache(self._schema)
        self._explorer = Explorer.load()

    async def respond(self, request: Request) -> Response:
        """Answer one request; whatever goes wrong is told in GraphQL's own form."""
        media_type = JSON_TYPE
        try:
            media_type = _response_type(request)
            if media_type == _HTML_TYPE:
                return self._explorer.to_response()
            answer = await self._answer(request, media_type)
            response = answer.to_response(media_type)
        except Exception as error:
            answer = refusal_of(describe(error))
            response = answer.to_response(media_type)
        for code in answer.codes:
            self._services.metrics.graphql_errors.labels(code).inc()
        return response

    async def _answer(self, request: Request, media_type: str) -> Answer:
        operator = authenticate(request, self._services.verifier, "read")
        asked = await read_request(request)
        try:
            document = self._documents.prepare(asked.query)
        except RefusedDocument as refused:
            return answer_of(ExecutionResult(None, refused.errors), media_type)
        except (InvalidInputError, LimitExceededError) as error:
            refusal = GraphQLError(str(error), original_error=error)
            return answer_of(ExecutionResult(None, [refusal]), media_type)
        _check_method(request.method, document, asked)
        meter = QueryMeter(self._services.admission.queries, operator.operator_id)
        await meter.charge(1)
        answer = answer_of(await self._execute(document, asked, operator, meter), media_type)
        return answer.with_headers(meter.headers)

    async def _execute(
        self,
        document: DocumentNode,
        asked: GraphQLRequest,
        operator: Operator,
        meter: QueryMeter,
    ) -> ExecutionResult:
        services, settings = self._services, self._services.settings
        budget = QueryBudget(settings.max_query_samples, settings.max_answer_points, meter)
        result = execute(
            self._schema,
            document,
            context_value=QueryContext(services.store, budget, services.breakers, operator),
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            execution_context_class=ColumnExecutionContext,
        )
        return await result if inspect.isawaitable(result) else result


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


def _check_method(method: str, document: DocumentNode, asked: GraphQLRequest) -> None:
    operation = get_operation_ast(document, asked.operation_name)
    if method != "POST" and operation and operation.operation is not OperationType.QUERY:
        raise HTTPException(405, "GET is for queries only: send a POST", {"Allow": "POST"})

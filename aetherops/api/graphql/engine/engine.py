"""The engine: what a client asks, prepared, paid for, executed and answered.

Transports share it. Each reads a `GraphQLRequest` in its own way, looks at the kind of operation
that it is, and writes the answers in its own way.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import ExecutionResult, GraphQLError, OperationType, execute
from graphql.utilities import get_operation_ast

from aetherops.api.graphql.engine.answers import GraphQLAnswer
from aetherops.api.graphql.engine.documents import DocumentCache, RefusedDocument
from aetherops.api.graphql.engine.execution import ColumnExecutionContext
from aetherops.api.graphql.schema.context import QueryContext
from aetherops.api.graphql.schema.root import build_schema
from aetherops.errors import AetherOpsError
from aetherops.services.telemetry import QueryBudget

if TYPE_CHECKING:
    from graphql import DocumentNode

    from aetherops.identity.operators import Operator
    from aetherops.services.breakers import BreakerControl
    from aetherops.services.metering import Meter
    from aetherops.services.telemetry import TelemetryQueries
    from aetherops.services.workflows import Workflows

__all__ = ["GraphQLEngine", "GraphQLRequest", "Operation"]


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """A document's text, which of its operations, and the values of its variables."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A request whose document is valid.

    Parameters
    ----------
    kind : query, mutation or subscription; ``None`` where the document does not say which of
        its operations is meant, which executing it will tell.
    """

    request: GraphQLRequest
    document: DocumentNode
    kind: OperationType | None


class GraphQLEngine:
    """Answers requests of operators, within a budget for each.

    Parameters
    ----------
    telemetry, breakers, workflows : what resolvers ask.
    max_samples, max_points : the most samples that one request may be about, and points that
        its answer may have.
    """

    def __init__(
        self,
        telemetry: TelemetryQueries,
        breakers: BreakerControl,
        workflows: Workflows,
        *,
        max_samples: int,
        max_points: int,
    ) -> None:
        self._telemetry = telemetry
        self._breakers = breakers
        self._workflows = workflows
        self._max_samples = max_samples
        self._max_points = max_points
        self._schema = build_schema()
        self._documents = DocumentCache(self._schema)

    def prepare(self, request: GraphQLRequest) -> Operation:
        """The request with its document parsed, measured and validated, or remembered as such.

        Raises
        ------
        RefusedDocument
            It cannot be executed.
        """
        try:
            document = self._documents.prepare(request.query)
        except AetherOpsError as error:
            raise RefusedDocument([GraphQLError(str(error), original_error=error)]) from error
        found = get_operation_ast(document, request.operation_name)
        return Operation(request, document, found.operation if found else None)

    async def execute(
        self, operation: Operation, operator: Operator, meter: Meter
    ) -> GraphQLAnswer:
        """The one answer to a query or a mutation.

        Parameters
        ----------
        meter : what is paid by: one unit for the request, before it is executed, and more as it
            becomes known what it reads.
        """
        try:
            await meter.charge(1)
        except AetherOpsError as error:
            return GraphQLAnswer.refusal([GraphQLError(str(error), original_error=error)])
        context = QueryContext(
            self._telemetry,
            self._breakers,
            self._workflows,
            operator,
            QueryBudget(self._max_samples, self._max_points, meter),
            meter,
        )
        result = execute(
            self._schema,
            operation.document,
            context_value=context,
            variable_values=operation.request.variables,
            operation_name=operation.request.operation_name,
            execution_context_class=ColumnExecutionContext,
        )
        executed: ExecutionResult = await result if inspect.isawaitable(result) else result
        return GraphQLAnswer.of(executed)

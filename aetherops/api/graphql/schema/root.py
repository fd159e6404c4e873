"""The schema: what may be asked."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import graphene

from aetherops.api.graphql.schema.breakers import CircuitBreaker, CircuitBreakerOverride
from aetherops.api.graphql.schema.inputs import Downsample, TimeRange, downsample_of, window_of
from aetherops.api.graphql.schema.selection import asks_for_extremes_only
from aetherops.api.graphql.schema.streams import Stream, StreamConnection, check_page
from aetherops.api.graphql.schema.telemetry import Telemetry
from aetherops.api.graphql.schema.workflows.approvals import ApprovalMutations
from aetherops.api.graphql.schema.workflows.lifecycle import LifecycleMutations
from aetherops.api.graphql.schema.workflows.queries import WorkflowQuestions
from aetherops.api.graphql.schema.workflows.work import WorkMutations
from aetherops.archive.stream import StreamName
from aetherops.resilience import Override
from aetherops.services.telemetry import TelemetryQuestion

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo, GraphQLSchema

    from aetherops.api.graphql.schema.context import QueryContext
    from aetherops.archive.store import StreamRecord
    from aetherops.resilience import BreakerSnapshot
    from aetherops.services.telemetry import StreamPage, TelemetryAnswer

__all__ = ["build_schema"]


class Query(WorkflowQuestions, graphene.ObjectType):
    """Questions about telemetry and workflows."""

    telemetry = graphene.NonNull(
        Telemetry,
        description="Samples of a stream in a range: points, statistics and anomalies.",
        stream=graphene.String(required=True, description="`service/source/parameter`."),
        range=graphene.Argument(TimeRange, required=True),
        downsample=graphene.Argument(Downsample),
    )
    stream = graphene.NonNull(
        Stream,
        description="One stream of the catalogue.",
        name=graphene.String(required=True, description="`service/source/parameter`."),
    )
    streams = graphene.NonNull(
        StreamConnection,
        description="The catalogue of streams, by name, page by page.",
        prefix=graphene.String(
            required=True, default_value="", description="Beginning of the names, as in `orbit/`."
        ),
        first=graphene.Int(
            required=True, default_value=100, description="Streams in a page; up to 1000."
        ),
        after=graphene.String(description="`endCursor` of the page before."),
    )

    circuit_breakers = graphene.List(
        graphene.NonNull(CircuitBreaker),
        required=True,
        description="The circuit breakers of the instance that answers.",
    )

    @staticmethod
    async def resolve_telemetry(
        root: object,
        info: GraphQLResolveInfo,
        stream: str,
        range: TimeRange,  # noqa: A002 (the argument's name in the schema)
        downsample: Downsample | None = None,
    ) -> TelemetryAnswer:
        """Check the question; the answer computes itself as its fields are asked."""
        context: QueryContext = info.context
        name = StreamName.parse(stream, "stream")
        window = window_of(range)
        reduction = downsample_of(downsample, window)
        question = TelemetryQuestion(name, window, reduction, asks_for_extremes_only(info))
        return await context.telemetry.ask(question, context.budget)

    @staticmethod
    async def resolve_stream(root: object, info: GraphQLResolveInfo, name: str) -> StreamRecord:
        """One stream's record."""
        context: QueryContext = info.context
        return await context.telemetry.find(StreamName.parse(name, "name"))

    @staticmethod
    async def resolve_streams(
        root: object, info: GraphQLResolveInfo, prefix: str, first: int, after: str | None = None
    ) -> StreamPage:
        """One page of the catalogue."""
        context: QueryContext = info.context
        check_page(prefix, first, after or "")
        return await context.telemetry.page(prefix, after or "", first)

    @staticmethod
    def resolve_circuit_breakers(root: object, info: GraphQLResolveInfo) -> list[BreakerSnapshot]:
        """All of them, by name."""
        context: QueryContext = info.context
        return context.breakers.snapshots()


class Mutation(LifecycleMutations, WorkMutations, ApprovalMutations, graphene.ObjectType):
    """What an operator may do."""

    hold_circuit_breaker = graphene.NonNull(
        CircuitBreaker,
        description="Hold a breaker in one state until it is released (`NONE`) or reset.",
        name=graphene.String(required=True),
        override=graphene.Argument(CircuitBreakerOverride, required=True),
    )
    reset_circuit_breaker = graphene.NonNull(
        CircuitBreaker,
        description="Close a breaker, forget what it counted, and lift any hold.",
        name=graphene.String(required=True),
    )

    @staticmethod
    def resolve_hold_circuit_breaker(
        root: object, info: GraphQLResolveInfo, name: str, override: graphene.Enum
    ) -> BreakerSnapshot:
        """Hold it; needs the permission `admin`."""
        context: QueryContext = info.context
        return context.breakers.hold(name, Override(override.value), context.operator)

    @staticmethod
    def resolve_reset_circuit_breaker(
        root: object, info: GraphQLResolveInfo, name: str
    ) -> BreakerSnapshot:
        """Reset it; needs the permission `admin`."""
        context: QueryContext = info.context
        return context.breakers.reset(name, context.operator)


@cache
def build_schema() -> GraphQLSchema:
    """The schema, built once: it holds no state."""
    schema: GraphQLSchema = graphene.Schema(query=Query, mutation=Mutation).graphql_schema
    return schema

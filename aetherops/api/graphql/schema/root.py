"""The schema: what may be asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import graphene

from aetherops.api.graphql.answer import TelemetryAnswer
from aetherops.api.graphql.schema.breakers import (
    CircuitBreaker,
    CircuitBreakerOverride,
    find_breaker,
)
from aetherops.api.graphql.schema.inputs import Downsample, TimeRange, downsample_of, window_of
from aetherops.api.graphql.schema.streams import Stream, StreamConnection, StreamPage, read_page
from aetherops.api.graphql.schema.telemetry import Telemetry
from aetherops.archive.stream import StreamName
from aetherops.resilience import Override

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo, GraphQLSchema

    from aetherops.api.graphql.engine.budget import QueryBudget
    from aetherops.archive.store import StreamRecord, TelemetryStore
    from aetherops.identity.operators import Operator
    from aetherops.resilience import Breaker, BreakerRegistry, BreakerSnapshot

__all__ = ["QueryContext", "build_schema"]


@dataclass(frozen=True, slots=True)
class QueryContext:
    """What resolvers of one request share."""

    store: TelemetryStore
    budget: QueryBudget
    breakers: BreakerRegistry
    operator: Operator


class Query(graphene.ObjectType):
    """Questions about telemetry."""

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
        record = await context.store.find(name)
        return TelemetryAnswer(record, window, reduction, context.store, context.budget)

    @staticmethod
    async def resolve_stream(root: object, info: GraphQLResolveInfo, name: str) -> StreamRecord:
        """One stream's record."""
        context: QueryContext = info.context
        return await context.store.find(StreamName.parse(name, "name"))

    @staticmethod
    async def resolve_streams(
        root: object, info: GraphQLResolveInfo, prefix: str, first: int, after: str | None = None
    ) -> StreamPage:
        """One page of the catalogue."""
        context: QueryContext = info.context
        return await read_page(context.store, prefix, first, after or "")

    @staticmethod
    def resolve_circuit_breakers(root: object, info: GraphQLResolveInfo) -> list[BreakerSnapshot]:
        """All of them, by name."""
        context: QueryContext = info.context
        return [breaker.snapshot() for breaker in context.breakers]


class Mutation(graphene.ObjectType):
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
        breaker = _breaker_for_admin(info.context, name)
        breaker.force(Override(override.value))
        return breaker.snapshot()

    @staticmethod
    def resolve_reset_circuit_breaker(
        root: object, info: GraphQLResolveInfo, name: str
    ) -> BreakerSnapshot:
        """Reset it; needs the permission `admin`."""
        breaker = _breaker_for_admin(info.context, name)
        breaker.reset()
        return breaker.snapshot()


def _breaker_for_admin(context: QueryContext, name: str) -> Breaker:
    context.operator.require("admin")
    return find_breaker(context.breakers, name)


@cache
def build_schema() -> GraphQLSchema:
    """The schema, built once: it holds no state."""
    schema: GraphQLSchema = graphene.Schema(query=Query, mutation=Mutation).graphql_schema
    return schema

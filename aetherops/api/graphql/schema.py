"""The schema: what may be asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import graphene

from aetherops.api.graphql.answer import TelemetryAnswer
from aetherops.api.graphql.inputs import Downsample, TimeRange, downsample_of, window_of
from aetherops.api.graphql.stream_types import Stream, StreamConnection, StreamPage, read_page
from aetherops.api.graphql.telemetry_types import Telemetry
from aetherops.telemetry.stream import StreamName

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo, GraphQLSchema

    from aetherops.api.graphql.budget import QueryBudget
    from aetherops.telemetry.store import StreamRecord, TelemetryStore

__all__ = ["QueryContext", "build_schema"]


@dataclass(frozen=True, slots=True)
class QueryContext:
    """What resolvers of one request share."""

    store: TelemetryStore
    budget: QueryBudget


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


@cache
def build_schema() -> GraphQLSchema:
    """The schema, built once: it holds no state."""
    schema: GraphQLSchema = graphene.Schema(query=Query).graphql_schema
    return schema

"""GraphQL types of the catalogue of streams. The source of `Stream` is a `StreamRecord`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import graphene

from aetherops.api.graphql.schema.scalars import BigInt, DateTime
from aetherops.errors import InvalidInputError, LimitExceededError

if TYPE_CHECKING:
    from aetherops.archive.store import StreamRecord, TelemetryStore

__all__ = ["Stream", "StreamConnection", "StreamPage", "read_page"]

_MAX_PAGE = 1000
_MAX_NAME_LENGTH = 200


class StreamKind(graphene.Enum):
    """What the values of a stream are."""

    GAUGE = "gauge"
    COUNTER = "counter"
    STATE = "state"

    @property
    def description(self) -> str:
        """What a kind means."""
        return {
            StreamKind.GAUGE: "A measured quantity.",
            StreamKind.COUNTER: "A number that counts up.",
            StreamKind.STATE: "A number that names a state.",
        }[self]


class Stream(graphene.ObjectType):
    """A named series of samples: `service/source/parameter`."""

    name = graphene.String(required=True)
    service = graphene.String(required=True)
    source = graphene.String(required=True)
    parameter = graphene.String(required=True)
    unit = graphene.String(required=True, description="Unit of the values; empty where unknown.")
    kind = graphene.NonNull(StreamKind)
    count = BigInt(required=True, description="Samples kept.")
    first = DateTime(description="Instant of the earliest sample; null where there is none.")
    last = DateTime(description="Instant of the latest sample.")

    @staticmethod
    def resolve_name(record: StreamRecord, info: object) -> str:
        """The three parts, joined."""
        return str(record.stream.name)

    @staticmethod
    def resolve_service(record: StreamRecord, info: object) -> str:
        """First part of the name."""
        return record.stream.name.service

    @staticmethod
    def resolve_source(record: StreamRecord, info: object) -> str:
        """Second part of the name."""
        return record.stream.name.source

    @staticmethod
    def resolve_parameter(record: StreamRecord, info: object) -> str:
        """Third part of the name."""
        return record.stream.name.parameter

    @staticmethod
    def resolve_unit(record: StreamRecord, info: object) -> str:
        """Unit as text."""
        return record.stream.unit

    @staticmethod
    def resolve_kind(record: StreamRecord, info: object) -> str:
        """Kind as the enum's value."""
        return record.stream.kind

    @staticmethod
    def resolve_first(record: StreamRecord, info: object) -> int | None:
        """Microseconds of the earliest sample."""
        return record.first_us

    @staticmethod
    def resolve_last(record: StreamRecord, info: object) -> int | None:
        """Microseconds of the latest sample."""
        return record.last_us


class PageInfo(graphene.ObjectType):
    """Where a page stands in the whole list."""

    has_next_page = graphene.Boolean(required=True)
    end_cursor = graphene.String(description="Give this as `after` to get the next page.")


class StreamConnection(graphene.ObjectType):
    """A page of streams, by name."""

    nodes = graphene.List(graphene.NonNull(Stream), required=True)
    page_info = graphene.NonNull(PageInfo)


@dataclass(frozen=True, slots=True)
class StreamPage:
    """The source of a `StreamConnection`."""

    nodes: list[StreamRecord]
    page_info: PageInfo


async def read_page(store: TelemetryStore, prefix: str, first: int, after: str) -> StreamPage:
    """One page of the catalogue; one more record than asked tells whether there is another."""
    if first < 1:
        raise InvalidInputError("streams.first", first, "1 or more")
    if first > _MAX_PAGE:
        raise LimitExceededError("streams in one page", _MAX_PAGE, first)
    for field, text in (("streams.prefix", prefix), ("streams.after", after)):
        # PostgreSQL's text holds no NUL; no stream's name has one either.
        if len(text) > _MAX_NAME_LENGTH or "\0" in text:
            raise InvalidInputError(field, text, f"text of at most {_MAX_NAME_LENGTH} characters")
    records = await store.streams(prefix, after=after, limit=first + 1)
    nodes = records[:first]
    cursor = str(nodes[-1].stream.name) if nodes else None
    return StreamPage(nodes, PageInfo(has_next_page=len(records) > first, end_cursor=cursor))

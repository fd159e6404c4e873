"""GraphQL types of the catalogue of streams.

The source of `Stream` is a `StreamRecord`, that of a connection and its `PageInfo` a `StreamPage`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import graphene

from aetherops.api.graphql.schema.scalars import BigInt, DateTime
from aetherops.errors import InvalidInputError, LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.archive.store import StreamRecord
    from aetherops.services.telemetry import StreamPage

__all__ = ["Stream", "StreamConnection", "check_page"]

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

    @staticmethod
    def resolve_has_next_page(page: StreamPage, info: object) -> bool:
        """Whether there are more."""
        return page.has_next

    @staticmethod
    def resolve_end_cursor(page: StreamPage, info: object) -> str | None:
        """Name of the last stream in the page."""
        return page.last_name


class StreamConnection(graphene.ObjectType):
    """A page of streams, by name."""

    nodes = graphene.List(graphene.NonNull(Stream), required=True)
    page_info = graphene.NonNull(PageInfo)

    @staticmethod
    def resolve_nodes(page: StreamPage, info: object) -> Sequence[StreamRecord]:
        """Records of the page."""
        return page.records

    @staticmethod
    def resolve_page_info(page: StreamPage, info: object) -> StreamPage:
        """The page itself."""
        return page


def check_page(prefix: str, first: int, after: str) -> None:
    """Refuse a page that is too large, and names that no stream can have."""
    if first < 1:
        raise InvalidInputError("streams.first", first, "1 or more")
    if first > _MAX_PAGE:
        raise LimitExceededError("streams in one page", _MAX_PAGE, first)
    for field, text in (("streams.prefix", prefix), ("streams.after", after)):
        # PostgreSQL's text holds no NUL; no stream's name has one either.
        if len(text) > _MAX_NAME_LENGTH or "\0" in text:
            raise InvalidInputError(
                field, text, f"text of at most {_MAX_NAME_LENGTH} characters, without NUL"
            )

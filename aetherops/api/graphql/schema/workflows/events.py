"""GraphQL types of events, of pages of them, and of what they changed.

The source of `WorkflowEvent` is one of `aetherops.workflow`, that of the others stands in
`aetherops.services.workflows`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import graphene

from aetherops.api.graphql.schema.scalars import BigInt, DateTime, Json
from aetherops.api.graphql.schema.workflows.state import Workflow
from aetherops.api.graphql.schema.workflows.times import us_of
from aetherops.workflow import WorkflowEvent as Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.services.workflows import HistoryPage
    from aetherops.workflow.differences import Difference

__all__ = ["WorkflowChanges", "WorkflowEventConnection"]


class WorkflowEvent(graphene.ObjectType):
    """Something that happened to a workflow."""

    id = graphene.ID(required=True)
    version = BigInt(required=True, description="Its place in its workflow, from 1.")
    kind = graphene.String(required=True, description="Such as `step.started`.")
    occurred_at = DateTime(required=True)
    recorded_at = DateTime(required=True, description="When the store took it.")
    position = BigInt(required=True, description="Its place among all events, from 1.")
    actor = graphene.String(required=True, description="Who caused it.")
    correlation_id = graphene.ID(description="Of the conversation that it belongs to.")
    causation_id = graphene.ID(description="Of the event or command that caused it.")
    payload = Json(required=True, description="An object: what this kind of event says.")

    @staticmethod
    def resolve_id(event: Event, info: object) -> UUID:
        """The event's id."""
        return event.event_id

    @staticmethod
    def resolve_occurred_at(event: Event, info: object) -> int | None:
        """When it happened."""
        return us_of(event.occurred_at)

    @staticmethod
    def resolve_recorded_at(event: Event, info: object) -> int | None:
        """When it was stored."""
        return us_of(event.recorded_at)

    @staticmethod
    def resolve_payload(event: Event, info: object) -> dict[str, Any]:
        """Its own fields by name, instants as text."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in event.payload.items()
        }


class WorkflowEventPageInfo(graphene.ObjectType):
    """Where a page stands in a history."""

    has_next_page = graphene.Boolean(required=True)
    end_cursor = BigInt(description="Give this as `after` to get the next page.")


class WorkflowEventConnection(graphene.ObjectType):
    """A page of events, by version."""

    nodes = graphene.List(graphene.NonNull(WorkflowEvent), required=True)
    page_info = graphene.NonNull(WorkflowEventPageInfo)

    @staticmethod
    def resolve_nodes(page: HistoryPage, info: object) -> Sequence[Event]:
        """Events of the page."""
        return page.events

    @staticmethod
    def resolve_page_info(page: HistoryPage, info: object) -> dict[str, Any]:
        """The version of the last event is the cursor."""
        last = page.events[-1].version if page.events else None
        return {"has_next_page": page.has_next, "end_cursor": last}


class WorkflowDifference(graphene.ObjectType):
    """One thing that is another now."""

    path = graphene.String(required=True, description="Such as `steps.ignite.status`.")
    before = Json()
    after = Json()


class WorkflowChange(graphene.ObjectType):
    """What an event changed; the event says when, who and why."""

    event = graphene.NonNull(WorkflowEvent)
    differences = graphene.List(graphene.NonNull(WorkflowDifference), required=True)


class WorkflowChanges(graphene.ObjectType):
    """What became of a workflow between two instants."""

    before = graphene.Field(Workflow, description="Null where it did not exist yet.")
    after = graphene.NonNull(Workflow)
    differences = graphene.List(
        graphene.NonNull(WorkflowDifference),
        required=True,
        description="Between the two states, whatever was in between.",
    )
    changes = graphene.List(
        graphene.NonNull(WorkflowChange), required=True, description="Event by event."
    )

    @staticmethod
    def resolve_differences(source: Any, info: object) -> Sequence[Difference]:
        """The net differences."""
        found: Sequence[Difference] = source.net
        return found

"""GraphQL types of lists of workflows. The source of a connection is a `WorkflowPage`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene

from aetherops.api.graphql.schema.scalars import BigInt, DateTime
from aetherops.api.graphql.schema.workflows.state import WorkflowStatus
from aetherops.api.graphql.schema.workflows.times import us_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.workflow.read_models.ports import WorkflowPage, WorkflowSummary as Summary

__all__ = ["WorkflowConnection"]


class WorkflowSummary(graphene.ObjectType):
    """A workflow as a list shows it; what is null at an instant of the past is not kept for it."""

    id = graphene.ID(required=True)
    name = graphene.String(required=True)
    form = graphene.String(required=True)
    status = graphene.NonNull(WorkflowStatus)
    owner = graphene.String()
    paused = graphene.Boolean(required=True)
    created_at = DateTime()
    version = BigInt(description="Null at an instant of the past.")
    progress_pct = graphene.Float(description="Null at an instant of the past.")
    running_steps = graphene.List(graphene.NonNull(graphene.String), required=True)
    pending_approvals = graphene.List(graphene.NonNull(graphene.String), required=True)
    error = graphene.String()
    updated_at = DateTime(
        description="When its last event was recorded; null at an instant of the past."
    )

    @staticmethod
    def resolve_id(one: Summary, info: object) -> str:
        """The workflow's id."""
        return one.workflow_id

    @staticmethod
    def resolve_created_at(one: Summary, info: object) -> int | None:
        """When it began."""
        return us_of(one.created_at)

    @staticmethod
    def resolve_updated_at(one: Summary, info: object) -> int | None:
        """When something last happened to it."""
        return us_of(one.updated_at)


class WorkflowPageInfo(graphene.ObjectType):
    """Where a page stands in the whole list."""

    has_next_page = graphene.Boolean(required=True)
    end_cursor = graphene.String(description="Give this as `after` to get the next page.")


class WorkflowConnection(graphene.ObjectType):
    """A page of workflows, by id."""

    nodes = graphene.List(graphene.NonNull(WorkflowSummary), required=True)
    page_info = graphene.NonNull(WorkflowPageInfo)
    position = BigInt(
        required=True, description="Of the last event that the list knows: it follows the events."
    )

    @staticmethod
    def resolve_nodes(page: WorkflowPage, info: object) -> Sequence[Summary]:
        """Workflows of the page."""
        return page.workflows

    @staticmethod
    def resolve_page_info(page: WorkflowPage, info: object) -> dict[str, Any]:
        """The id of the last workflow is the cursor."""
        last = page.workflows[-1].workflow_id if page.workflows else None
        return {"has_next_page": page.has_next, "end_cursor": last}

"""What may be asked about workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene

from aetherops.api.graphql.schema.scalars import BigInt, DateTime
from aetherops.api.graphql.schema.workflows.events import WorkflowChanges, WorkflowEventConnection
from aetherops.api.graphql.schema.workflows.fleet import WorkflowConnection
from aetherops.api.graphql.schema.workflows.state import Workflow, WorkflowStatus
from aetherops.api.graphql.schema.workflows.times import datetime_of, instant_of
from aetherops.api.graphql.schema.workflows.verification import WorkflowVerification
from aetherops.workflow.checks import name_text
from aetherops.workflow.read_models.ports import WorkflowQuery

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from aetherops.api.graphql.schema.context import QueryContext
    from aetherops.services.workflows import HistoryPage, WorkflowChanges as Changes
    from aetherops.workflow import WorkflowState
    from aetherops.workflow.read_models.ports import WorkflowPage
    from aetherops.workflow.verification import Verification

__all__ = ["WorkflowQuestions"]


def _id() -> Any:
    return graphene.ID(required=True, name="id")


class WorkflowQuestions:
    """The fields of `Query` about workflows; each needs the permission `read`."""

    workflow = graphene.NonNull(
        Workflow,
        description="The state of a workflow, now or as it stood at an instant.",
        workflow_id=_id(),
        as_of=DateTime(description="An instant by which events were recorded."),
        occurred_by=DateTime(
            description="An instant by which they had occurred, as far as was recorded by `asOf`."
        ),
    )
    workflows = graphene.NonNull(
        WorkflowConnection,
        description="Workflows by id, page by page, now or as they stood at an instant.",
        status=graphene.List(
            graphene.NonNull(WorkflowStatus), description="One of these; any where not given."
        ),
        owner=graphene.String(),
        search=graphene.String(
            required=True, default_value="", description="A part of the id or the name."
        ),
        created_after=DateTime(),
        created_before=DateTime(),
        quiet_since=DateTime(
            description="Stuck ones: not ended, and without an event since this instant."
        ),
        as_of=DateTime(description="An instant by which events were recorded."),
        first=graphene.Int(
            required=True, default_value=100, description="Workflows in a page; up to 1000."
        ),
        after=graphene.String(
            required=True, default_value="", description="`endCursor` of the page before."
        ),
    )
    workflow_history = graphene.NonNull(
        WorkflowEventConnection,
        description="The events of a workflow, page by page.",
        workflow_id=_id(),
        first=graphene.Int(
            required=True, default_value=100, description="Events in a page; up to 1000."
        ),
        after=BigInt(required=True, default_value=0, description="`endCursor` of the page before."),
    )
    workflow_changes = graphene.NonNull(
        WorkflowChanges,
        description="What changed after one instant and up to another, and why.",
        workflow_id=_id(),
        start=DateTime(required=True, name="from"),
        end=DateTime(required=True, name="to"),
    )

    workflow_verification = graphene.NonNull(
        WorkflowVerification,
        description="A replay of a workflow's events, compared with what is stored and answered.",
        workflow_id=_id(),
    )

    @staticmethod
    async def resolve_workflow(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        as_of: int | None = None,
        occurred_by: int | None = None,
    ) -> WorkflowState:
        """The fold of its events, up to an instant where one is given."""
        context: QueryContext = info.context
        queries = context.workflows.queries
        workflow_id = name_text(workflow_id, "id")
        if occurred_by is not None:
            at = datetime_of(as_of, "asOf")
            occurred = instant_of(occurred_by, "occurredBy")
            return await queries.state_occurred_by(workflow_id, occurred, context.meter, at=at)
        if as_of is None:
            return await queries.state(workflow_id, context.meter)
        return await queries.state_at(workflow_id, instant_of(as_of, "asOf"), context.meter)

    @staticmethod
    async def resolve_workflows(
        root: object,
        info: GraphQLResolveInfo,
        search: str,
        first: int,
        after: str,
        status: list[Any] | None = None,
        owner: str | None = None,
        created_after: int | None = None,
        created_before: int | None = None,
        quiet_since: int | None = None,
        as_of: int | None = None,
    ) -> WorkflowPage:
        """One page of those that match."""
        context: QueryContext = info.context
        query = WorkflowQuery(
            statuses=frozenset(one.value for one in status or ()),
            owner=None if owner is None else name_text(owner, "owner"),
            text=name_text(search, "search") if search else "",
            created_after=datetime_of(created_after, "createdAfter"),
            created_before=datetime_of(created_before, "createdBefore"),
            quiet_since=datetime_of(quiet_since, "quietSince"),
        )
        after = name_text(after, "after") if after else ""
        return await context.workflows.queries.find(
            query, as_of=datetime_of(as_of, "asOf"), first=first, after=after
        )

    @staticmethod
    async def resolve_workflow_history(
        root: object, info: GraphQLResolveInfo, workflow_id: str, first: int, after: int
    ) -> HistoryPage:
        """One page of its events."""
        context: QueryContext = info.context
        return await context.workflows.queries.history(
            name_text(workflow_id, "id"), context.meter, first=first, after=after
        )

    @staticmethod
    async def resolve_workflow_verification(
        root: object, info: GraphQLResolveInfo, workflow_id: str
    ) -> Verification:
        """What a replay found."""
        context: QueryContext = info.context
        return await context.workflows.queries.verify(name_text(workflow_id, "id"), context.meter)

    @staticmethod
    async def resolve_workflow_changes(
        root: object, info: GraphQLResolveInfo, workflow_id: str, start: int, end: int
    ) -> Changes:
        """The states at both, and the events in between."""
        context: QueryContext = info.context
        return await context.workflows.queries.changes(
            name_text(workflow_id, "id"),
            instant_of(start, "from"),
            instant_of(end, "to"),
            context.meter,
        )

"""Mutations of a workflow as a whole. Each needs the permission `execute`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene

from aetherops.api.graphql.schema.scalars import Json
from aetherops.api.graphql.schema.workflows.causes import WorkflowCause, asked, change, reason
from aetherops.api.graphql.schema.workflows.state import Workflow, WorkflowStage, WorkflowStatus
from aetherops.workflow.execution import UnknownDefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import GraphQLResolveInfo

    from aetherops.workflow import WorkflowState

__all__ = ["LifecycleMutations"]


class LifecycleMutations:
    """From its creation to its end."""

    create_workflow = graphene.NonNull(
        Workflow,
        description="Begin a workflow.",
        workflow_id=graphene.ID(name="id", description="A new one where not given."),
        name=graphene.String(required=True, default_value="workflow"),
        owner=graphene.String(),
        form=graphene.String(
            required=True, default_value="workflow", description="`workflow` or `mission`."
        ),
        input=Json(description="What it is started with."),
        cause=graphene.Argument(WorkflowCause),
    )
    start_workflow = graphene.NonNull(
        Workflow,
        description="Begin a workflow that is executed by the newest definition of this name.",
        name=graphene.String(required=True, description="Of a registered definition."),
        workflow_id=graphene.ID(name="id", description="A new one where not given."),
        owner=graphene.String(),
        input=Json(description="What it is started with."),
        cause=graphene.Argument(WorkflowCause),
    )
    capture_workflow = change(
        "Begin the events of a workflow that has lived without them; needs `admin`.",
        state=Json(required=True, description="As docs/workflow-migration.md lists it."),
        source=graphene.String(
            required=True, default_value="unknown", description="What it is taken from."
        ),
    )
    move_workflow = change(
        "Move it to another state.",
        target=graphene.Argument(WorkflowStatus, required=True),
        reason=reason(),
    )
    change_stage = change(
        "Take a mission to its next stage, or back to the one before.",
        target=graphene.Argument(WorkflowStage, required=True),
    )
    complete_workflow = change("End it well.", result=Json())
    fail_workflow = change(
        "End it badly.", error=graphene.String(required=True, description="What went wrong.")
    )
    cancel_workflow = change("End it because somebody wants so.", reason=reason())
    pause_workflow = change("Let no further step begin.", reason=reason())
    resume_workflow = change("Let steps begin again.", reason=reason())
    assign_workflow = change("Let another answer for it.", owner=graphene.String(required=True))

    @staticmethod
    async def resolve_create_workflow(
        root: object,
        info: GraphQLResolveInfo,
        name: str,
        form: str,
        workflow_id: str | None = None,
        owner: str | None = None,
        input: Any = None,  # noqa: A002 (the argument's name in the schema)
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Begin it."""
        commands, why = asked(info, cause)
        return await commands.create(
            why, workflow_id, name=name, owner=owner, form=form, input=input
        )

    @staticmethod
    async def resolve_start_workflow(
        root: object,
        info: GraphQLResolveInfo,
        name: str,
        workflow_id: str | None = None,
        owner: str | None = None,
        input: Any = None,  # noqa: A002 (the argument's name in the schema)
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Begin it, where this process knows what to execute."""
        _, why = asked(info, cause)
        starting = info.context.workflows.starting
        if starting is None:
            raise UnknownDefinitionError(name)
        started: WorkflowState = await starting.start(
            why, name, workflow_id, owner=owner, input=input
        )
        return started

    @staticmethod
    async def resolve_capture_workflow(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        state: Any,
        source: str,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Take the snapshot; needs the permission `admin`: it says what nobody here has seen."""
        commands, why = asked(info, cause, "admin")
        return await commands.capture(why, workflow_id, state, source=source)

    @staticmethod
    async def resolve_move_workflow(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        target: Any,
        reason: str,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Move it."""
        commands, why = asked(info, cause)
        return await commands.move(why, workflow_id, target.value, reason=reason)

    @staticmethod
    async def resolve_change_stage(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        target: Any,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Advance it, or roll it back."""
        commands, why = asked(info, cause)
        return await commands.change_stage(why, workflow_id, target.value)

    @staticmethod
    async def resolve_complete_workflow(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        result: Any = None,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Complete it."""
        commands, why = asked(info, cause)
        return await commands.complete(why, workflow_id, result=result)

    @staticmethod
    async def resolve_fail_workflow(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        error: str,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Fail it."""
        commands, why = asked(info, cause)
        return await commands.fail(why, workflow_id, error=error)

    @staticmethod
    async def resolve_cancel_workflow(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        reason: str,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Cancel it."""
        commands, why = asked(info, cause)
        return await commands.cancel(why, workflow_id, reason=reason)

    @staticmethod
    async def resolve_pause_workflow(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        reason: str,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Pause it."""
        commands, why = asked(info, cause)
        return await commands.pause(why, workflow_id, reason=reason)

    @staticmethod
    async def resolve_resume_workflow(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        reason: str,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Resume it."""
        commands, why = asked(info, cause)
        return await commands.resume(why, workflow_id, reason=reason)

    @staticmethod
    async def resolve_assign_workflow(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        owner: str,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Assign it."""
        commands, why = asked(info, cause)
        return await commands.assign(why, workflow_id, owner)

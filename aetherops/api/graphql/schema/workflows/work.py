"""Mutations of what is done within a workflow. Each needs the permission `execute`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene

from aetherops.api.graphql.schema.scalars import DateTime, Json
from aetherops.api.graphql.schema.workflows.causes import asked, change
from aetherops.api.graphql.schema.workflows.times import datetime_of, instant_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import GraphQLResolveInfo

    from aetherops.workflow import WorkflowState

__all__ = ["WorkMutations"]


def _attempt() -> Any:
    return graphene.Int(description="The last one where not given.")


class WorkMutations:
    """Steps, artifacts and timers."""

    start_step = change(
        "Begin the next attempt at a step.",
        step=graphene.String(required=True),
        executor=graphene.String(description="Which process does it."),
        input=Json(),
    )
    complete_step = change(
        "End an attempt at a step well.",
        step=graphene.String(required=True),
        attempt=_attempt(),
        result=Json(),
    )
    fail_step = change(
        "End an attempt at a step badly.",
        step=graphene.String(required=True),
        attempt=_attempt(),
        error=graphene.String(required=True, description="What went wrong."),
        retry_at=DateTime(description="When it is tried again."),
    )
    attach_artifact = change(
        "Put something to it; given again, the later one counts.",
        key=graphene.String(required=True),
        value=Json(),
    )
    set_timer = change(
        "Let something happen later; set again, it replaces the one before.",
        timer=graphene.String(required=True),
        due_at=DateTime(required=True),
    )
    fire_timer = change(
        "Say that its time has come; before, it is CONFLICT.",
        timer=graphene.String(required=True),
    )
    cancel_timer = change("Let nothing happen any more.", timer=graphene.String(required=True))

    @staticmethod
    async def resolve_start_step(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        step: str,
        executor: str | None = None,
        input: Any = None,  # noqa: A002 (the argument's name in the schema)
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Start it."""
        commands, why = asked(info, cause)
        return await commands.start_step(why, workflow_id, step, executor=executor, input=input)

    @staticmethod
    async def resolve_complete_step(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        step: str,
        attempt: int | None = None,
        result: Any = None,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Complete it."""
        commands, why = asked(info, cause)
        return await commands.complete_step(why, workflow_id, step, attempt=attempt, result=result)

    @staticmethod
    async def resolve_fail_step(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        step: str,
        error: str,
        attempt: int | None = None,
        retry_at: int | None = None,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Fail it."""
        commands, why = asked(info, cause)
        return await commands.fail_step(
            why,
            workflow_id,
            step,
            attempt=attempt,
            error=error,
            retry_at=datetime_of(retry_at, "retryAt"),
        )

    @staticmethod
    async def resolve_attach_artifact(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        key: str,
        value: Any = None,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Attach it."""
        commands, why = asked(info, cause)
        return await commands.attach(why, workflow_id, key, value)

    @staticmethod
    async def resolve_set_timer(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        timer: str,
        due_at: int,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Set it."""
        commands, why = asked(info, cause)
        return await commands.set_timer(why, workflow_id, timer, instant_of(due_at, "dueAt"))

    @staticmethod
    async def resolve_fire_timer(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        timer: str,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Fire it."""
        commands, why = asked(info, cause)
        return await commands.fire_timer(why, workflow_id, timer)

    @staticmethod
    async def resolve_cancel_timer(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        timer: str,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Cancel it."""
        commands, why = asked(info, cause)
        return await commands.cancel_timer(why, workflow_id, timer)

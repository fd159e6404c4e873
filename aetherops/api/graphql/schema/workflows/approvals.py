"""Mutations of approvals. Each needs the permission `execute`, an answer also its role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene

from aetherops.api.graphql.schema.scalars import DateTime
from aetherops.api.graphql.schema.workflows.causes import asked, change
from aetherops.api.graphql.schema.workflows.times import datetime_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import GraphQLResolveInfo

    from aetherops.workflow import WorkflowState

__all__ = ["ApprovalMutations"]


def _comment() -> Any:
    return graphene.String(required=True, default_value="", description="Why, in words.")


class ApprovalMutations:
    """From the question to the answer."""

    request_approval = change(
        "Ask for a word: until it is given, the workflow does not go on.",
        approval=graphene.String(required=True, description="What it is called."),
        role=graphene.String(
            required=True, default_value="operator", description="Whose word it takes."
        ),
        until=DateTime(description="When it is too late."),
    )
    grant_approval = change(
        "Say yes, in the role whose word it takes.",
        approval=graphene.String(required=True),
        comment=_comment(),
    )
    refuse_approval = change(
        "Say no, in the role whose word it takes.",
        approval=graphene.String(required=True),
        comment=_comment(),
    )

    @staticmethod
    async def resolve_request_approval(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        approval: str,
        role: str,
        until: int | None = None,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Ask for it."""
        commands, why = asked(info, cause)
        return await commands.request_approval(
            why, workflow_id, approval, role=role, until=datetime_of(until, "until")
        )

    @staticmethod
    async def resolve_grant_approval(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        approval: str,
        comment: str,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Grant it."""
        commands, why = asked(info, cause)
        return await commands.grant_approval(why, workflow_id, approval, comment=comment)

    @staticmethod
    async def resolve_refuse_approval(
        root: object,
        info: GraphQLResolveInfo,
        workflow_id: str,
        approval: str,
        comment: str,
        cause: Mapping[str, Any] | None = None,
    ) -> WorkflowState:
        """Refuse it."""
        commands, why = asked(info, cause)
        return await commands.refuse_approval(why, workflow_id, approval, comment=comment)

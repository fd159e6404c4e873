"""What every mutation of a workflow has in common: whose it is, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import graphene

from aetherops.api.graphql.schema.scalars import BigInt
from aetherops.api.graphql.schema.workflows.state import Workflow
from aetherops.errors import InvalidInputError
from aetherops.services.workflows import Cause
from aetherops.workflow.checks import count, optional

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import GraphQLResolveInfo

    from aetherops.api.graphql.schema.context import QueryContext
    from aetherops.identity.operators import Permission
    from aetherops.services.workflows import WorkflowCommands

__all__ = ["Asked", "WorkflowCause", "asked", "change", "reason"]


class WorkflowCause(graphene.InputObjectType):
    """What a mutation rests on, and how its event can be found again."""

    event_id = graphene.ID(
        description="A UUID for the event: made again under it, the mutation changes nothing."
    )
    correlation_id = graphene.ID(description="A UUID of the conversation that it belongs to.")
    causation_id = graphene.ID(description="A UUID of the event or command that caused it.")
    expected_version = BigInt(
        description="The version that was decided on: with another, the answer is CONFLICT."
    )


def change(description: str, **arguments: Any) -> Any:
    """A field of `Mutation` that changes one workflow and gives its state after that."""
    return graphene.NonNull(
        Workflow,
        description=description,
        workflow_id=graphene.ID(required=True, name="id"),
        **arguments,
        cause=graphene.Argument(WorkflowCause),
    )


def reason() -> Any:
    """An argument that says why, in words."""
    return graphene.String(required=True, default_value="", description="Why, in words.")


#: Whom to ask, and who asks for what reason.
Asked = tuple["WorkflowCommands", Cause]


def asked(
    info: GraphQLResolveInfo,
    given: Mapping[str, Any] | None,
    permission: Permission = "execute",
) -> Asked:
    """Whom a mutation asks, once its operator has the permission, and its cause."""
    context: QueryContext = info.context
    context.operator.require(permission)
    given = given or {}
    ids = {name: _uuid(given.get(name), name) for name in _IDS}
    expected = optional(count)(given.get("expected_version"), "cause.expectedVersion")
    cause = Cause.of(context.operator).linked(**ids, expected_version=expected)
    return context.workflows.commands, cause


_IDS = {"event_id": "eventId", "correlation_id": "correlationId", "causation_id": "causationId"}


def _uuid(text: str | None, name: str) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise InvalidInputError(f"cause.{_IDS[name]}", text, "a UUID") from None

"""GraphQL types of a replay. The source of each is the value of the same name in the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import graphene

from aetherops.api.graphql.schema.scalars import BigInt

if TYPE_CHECKING:
    from aetherops.workflow.verification import Divergence, Verification

__all__ = ["WorkflowVerification"]


class WorkflowDivergence(graphene.ObjectType):
    """Something that a replay says otherwise."""

    what = graphene.String(required=True, description="`event`, `state` or `read model`.")
    version = BigInt(required=True)
    stored = graphene.String(description="A digest of what is answered; null where nothing is.")
    replayed = graphene.String(description="A digest of what the replay says.")


class WorkflowVerification(graphene.ObjectType):
    """Whether the events of a workflow, replayed, say what is stored and answered."""

    id = graphene.ID(required=True)
    version = BigInt(required=True, description="Up to which it was replayed.")
    converges = graphene.Boolean(required=True)
    divergences = graphene.List(graphene.NonNull(WorkflowDivergence), required=True)
    irregular = graphene.List(
        graphene.NonNull(BigInt),
        required=True,
        description="Versions of events that the rules do not allow; they are stored and count.",
    )

    @staticmethod
    def resolve_id(found: Verification, info: object) -> str:
        """The workflow's id."""
        return found.workflow_id

    @staticmethod
    def resolve_divergences(found: Verification, info: object) -> list[Divergence]:
        """The first hundred of them."""
        return list(found.divergences[:100])

"""GraphQL types of a workflow's state. The source of `Workflow` is a `WorkflowState`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import graphene

from aetherops.api.graphql.schema.scalars import BigInt, DateTime, Json
from aetherops.api.graphql.schema.workflows.times import us_of
from aetherops.workflow import STAGES, STATES, TRANSITIONS

if TYPE_CHECKING:
    from datetime import datetime

    from aetherops.workflow import Approval, Attempt, Step, WorkflowState

__all__ = ["Workflow", "WorkflowStage", "WorkflowStatus", "enum_of"]


def enum_of(name: str, values: list[str], description: str) -> Any:
    """An enum whose names are the values in upper case, hyphens as underscores."""
    return graphene.Enum(
        name,
        [(value.replace("-", "_").upper(), value) for value in values],
        description=lambda value: None if value else description,
    )


WorkflowStatus = enum_of("WorkflowStatus", STATES, "The state that a workflow is in.")
WorkflowStage = enum_of("WorkflowStage", STAGES, "The stage that a mission is in.")


class WorkflowAttempt(graphene.ObjectType):
    """One try at a step."""

    number = graphene.Int(required=True)
    status = graphene.String(required=True, description="`running`, `completed` or `failed`.")
    started_at = DateTime()
    ended_at = DateTime()
    executor = graphene.String(description="Which process does it.")
    error = graphene.String()
    retry_at = DateTime(description="When it is tried again.")

    @staticmethod
    def resolve_started_at(attempt: Attempt, info: object) -> int | None:
        """When it began."""
        return attempt.started_us

    @staticmethod
    def resolve_ended_at(attempt: Attempt, info: object) -> int | None:
        """When it ended."""
        return attempt.ended_us

    @staticmethod
    def resolve_retry_at(attempt: Attempt, info: object) -> int | None:
        """When it is tried again."""
        return attempt.retry_us


class WorkflowStep(graphene.ObjectType):
    """A step of a workflow, with every try at it."""

    name = graphene.String(required=True)
    status = graphene.String(required=True, description="`running`, `completed` or `failed`.")
    attempts = graphene.List(graphene.NonNull(WorkflowAttempt), required=True)
    result = Json()


class WorkflowApproval(graphene.ObjectType):
    """A word that the work waits for."""

    name = graphene.String(required=True)
    status = graphene.String(required=True, description="`requested`, `granted` or `refused`.")
    role = graphene.String(required=True, description="Whose word it takes.")
    requested_at = DateTime()
    until = DateTime(description="When it is too late.")
    decided_at = DateTime()
    decided_by = graphene.String()
    comment = graphene.String(required=True)

    @staticmethod
    def resolve_requested_at(approval: Approval, info: object) -> int | None:
        """Since when it is waited for."""
        return us_of(approval.requested_at)

    @staticmethod
    def resolve_until(approval: Approval, info: object) -> int | None:
        """Until when."""
        return us_of(approval.until)

    @staticmethod
    def resolve_decided_at(approval: Approval, info: object) -> int | None:
        """When the answer was given."""
        return us_of(approval.decided_at)


class _Timer(NamedTuple):
    name: str
    due_at: int | None


class WorkflowTimer(graphene.ObjectType):
    """Something that is to happen later."""

    name = graphene.String(required=True)
    due_at = DateTime(required=True)


class Workflow(graphene.ObjectType):
    """What the events of a workflow say, up to one of them."""

    id = graphene.ID(required=True)
    version = BigInt(required=True, description="Of the last event.")
    name = graphene.String(required=True, description="What kind of work it is.")
    owner = graphene.String(description="Who answers for it.")
    form = graphene.String(required=True, description="`workflow`, or `mission` with stages.")
    input = Json()
    status = graphene.NonNull(WorkflowStatus)
    allowed_moves = graphene.List(
        graphene.NonNull(WorkflowStatus), required=True, description="Where it may move next."
    )
    history = graphene.List(
        graphene.NonNull(WorkflowStatus), required=True, description="Every status so far."
    )
    paused = graphene.Boolean(required=True)
    is_done = graphene.Boolean(required=True)
    progress_pct = graphene.Float(required=True, description="0 to 100.")
    stage = WorkflowStage(description="Of a mission.")
    steps = graphene.List(graphene.NonNull(WorkflowStep), required=True)
    approvals = graphene.List(graphene.NonNull(WorkflowApproval), required=True)
    timers = graphene.List(graphene.NonNull(WorkflowTimer), required=True)
    artifacts = Json(required=True, description="An object: what was put to it, by key.")
    result = Json()
    error = graphene.String()
    created_at = DateTime()
    updated_at = DateTime(description="When its last event occurred.")
    known_since = DateTime(description="When it was captured from a program that kept no events.")
    irregular = graphene.List(
        graphene.NonNull(BigInt),
        required=True,
        description="Versions of events that the rules do not allow; they happened, so they count.",
    )

    @staticmethod
    def resolve_id(state: WorkflowState, info: object) -> str:
        """The workflow's id."""
        return state.workflow_id

    @staticmethod
    def resolve_allowed_moves(state: WorkflowState, info: object) -> tuple[str, ...]:
        """By the table of transitions."""
        return TRANSITIONS[state.status]

    @staticmethod
    def resolve_stage(state: WorkflowState, info: object) -> str | None:
        """The stage's name; null where it is no mission."""
        return STAGES[state.stage_index] if state.form == "mission" else None

    @staticmethod
    def resolve_steps(state: WorkflowState, info: object) -> list[Step]:
        """Steps in the order in which they began."""
        return list(state.steps.values())

    @staticmethod
    def resolve_approvals(state: WorkflowState, info: object) -> list[Approval]:
        """Approvals in the order in which they were asked for."""
        return list(state.approvals.values())

    @staticmethod
    def resolve_timers(state: WorkflowState, info: object) -> list[_Timer]:
        """Timers, the next one first."""
        return [
            _Timer(name, us_of(due_at)) for name, due_at in sorted(state.timers.items(), key=_due)
        ]

    @staticmethod
    def resolve_created_at(state: WorkflowState, info: object) -> int | None:
        """When its first event occurred."""
        return us_of(state.created_at)

    @staticmethod
    def resolve_updated_at(state: WorkflowState, info: object) -> int | None:
        """When its last event occurred."""
        return us_of(state.updated_at)

    @staticmethod
    def resolve_known_since(state: WorkflowState, info: object) -> int | None:
        """When it was captured."""
        return us_of(state.known_since)


def _due(timer: tuple[str, datetime]) -> datetime:
    return timer[1]

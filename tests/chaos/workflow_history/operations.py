"""Appends that can be told apart afterwards: each event says which append it is of, and where."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from aetherops.workflow import (
    ArtifactAttached,
    StepCompleted,
    StepStarted,
    WorkflowCreated,
    WorkflowEvent,
    uuid7,
)

__all__ = ["mark_of", "new_append"]


def new_append(
    workflow_id: str, version: int, size: int, actor: str, epoch: int | None = None
) -> list[WorkflowEvent]:
    """Events for one append, the first of them with this version."""
    operation = uuid7()
    return [
        _event(
            workflow_id,
            version + i,
            {"of": size, "i": i, "epoch": epoch},
            {"actor": actor, "correlation_id": operation},
        )
        for i in range(size)
    ]


def _event(workflow_id: str, version: int, mark: dict[str, Any], rest: Any) -> WorkflowEvent:
    step, kind = divmod(version, 3)
    if version == 1:
        return WorkflowCreated(workflow_id, owner="chaos", input=mark, **rest)
    if kind == 1:
        return ArtifactAttached(workflow_id, version, key=f"a{step % 7}", value=mark, **rest)
    if kind == 2:
        return StepStarted(workflow_id, version, step=f"s{step}", input=mark, **rest)
    return StepCompleted(workflow_id, version, step=f"s{step - 1}", result=mark, **rest)


def mark_of(payload: dict[str, Any]) -> dict[str, Any]:
    """What `new_append` left in the payload of an event."""
    for name in ("input", "value", "result"):
        if isinstance(found := payload.get(name), dict):
            return found
    raise ValueError(f"no mark in {payload}")


def operation_of(event: WorkflowEvent) -> UUID:
    """Which append an event is of."""
    assert event.correlation_id is not None
    return event.correlation_id

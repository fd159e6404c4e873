"""Opening a workflow on an event store, from a thread that may wait or from an event loop."""

from __future__ import annotations

import asyncio

from aetherops.workflow.store import EventStore
from aetherops.workflow.stored.background import wait_for
from aetherops.workflow.stored.engine import StoredWorkflowEngine
from aetherops.workflow.stored.pipeline import StoredMissionPipeline
from aetherops.workflow.stored.session import OpenOptions, StoredWorkflow

__all__ = ["open_engine", "open_engine_async", "open_pipeline", "open_pipeline_async"]


def open_engine(store: EventStore, workflow_id: str, options: OpenOptions) -> StoredWorkflowEngine:
    """See `WorkflowEngine.open`."""
    return StoredWorkflowEngine(_open(store, workflow_id, "workflow", options, "WorkflowEngine"))


async def open_engine_async(
    store: EventStore, workflow_id: str, options: OpenOptions
) -> StoredWorkflowEngine:
    """See `WorkflowEngine.open_async`."""
    return StoredWorkflowEngine(await _open_here(store, workflow_id, "workflow", options))


def open_pipeline(
    store: EventStore, workflow_id: str, options: OpenOptions
) -> StoredMissionPipeline:
    """See `MissionPipeline.open`."""
    return StoredMissionPipeline(_open(store, workflow_id, "mission", options, "MissionPipeline"))


async def open_pipeline_async(
    store: EventStore, workflow_id: str, options: OpenOptions
) -> StoredMissionPipeline:
    """See `MissionPipeline.open_async`."""
    return StoredMissionPipeline(await _open_here(store, workflow_id, "mission", options))


def _open(
    store: EventStore, workflow_id: str, form: str, options: OpenOptions, cls: str
) -> StoredWorkflow:
    return wait_for(
        StoredWorkflow.open(store, workflow_id, form, options, None),
        None,
        f"{cls}.open()",
        f"await {cls}.open_async(store, workflow_id)",
    )


async def _open_here(
    store: EventStore, workflow_id: str, form: str, options: OpenOptions
) -> StoredWorkflow:
    return await StoredWorkflow.open(store, workflow_id, form, options, asyncio.get_running_loop())

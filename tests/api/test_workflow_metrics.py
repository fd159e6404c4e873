"""What `/metrics` shows of workflows: how far lists are behind, and replays that diverge."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from aetherops.api.metrics.read_models import ReadModelCollector
from aetherops.api.metrics.registry import Metrics
from aetherops.api.metrics.workflow_parts import WorkflowPartsCollector
from aetherops.parts.replay_check import ReplayCheck
from aetherops.parts.workflow_projector import WorkflowProjector
from aetherops.services.read_model_condition import ReadModelCondition
from aetherops.services.workflow_condition import WorkflowCondition
from aetherops.workflow import MemoryEventStore, WorkflowCreated, WorkflowProjection
from aetherops.workflow.read_models.fold import Folded
from aetherops.workflow.snapshots.kept import MemorySnapshots, keep_state
from aetherops.workflow.verification import WorkflowVerifier

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def shown(platform):
    """The value of each metric of workflows, as `/metrics` shows it."""
    metrics = Metrics()
    conditions = ReadModelCondition(), WorkflowCondition()
    metrics.registry.register(ReadModelCollector(conditions[0]))
    metrics.registry.register(WorkflowPartsCollector(conditions[1]))

    async def shown():
        async with platform.client(metrics=metrics) as client:
            lines = (await client.get("/metrics")).text.splitlines()
        found = [line.split() for line in lines if line.startswith("aetherops_workflow_")]
        return {name: float(value) for name, value in found}

    shown.read_model, shown.parts = conditions
    return shown


class OneBatch:
    """A projector with one batch to take in, recorded at noon."""

    def __init__(self):
        self.taken = asyncio.Event()
        self._batches = [Folded(40, 7, NOON)]

    async def advance(self, limit):
        if self._batches:
            return self._batches.pop()
        self.taken.set()
        return None

    async def look_after(self):
        return None


async def test_metrics_show_the_lag_of_the_read_models(shown):
    projector = OneBatch()
    part = WorkflowProjector(
        projector, condition=shown.read_model, clock_s=lambda: NOON.timestamp() + 2.5
    )
    running = asyncio.create_task(part.run())
    await projector.taken.wait()
    part.stop()
    await running
    told = await shown()
    assert told["aetherops_workflow_read_model_position"] == 40
    assert told["aetherops_workflow_read_model_lag_seconds"] == 2.5
    assert told["aetherops_workflow_read_model_events_total"] == 7


async def test_metrics_show_the_divergence_that_the_replay_check_found(shown):
    store, snapshots = MemoryEventStore(), MemorySnapshots()
    created = await store.append(WorkflowCreated("burn-7", owner="ann"))
    assert (await shown())["aetherops_workflow_divergences_total"] == 0
    state = WorkflowProjection.of([WorkflowCreated("burn-7", owner="somebody else")])
    await snapshots.keep([keep_state(state, created)])

    class Bus:
        async def publish(self, subject, event):
            check.stop()

    verifier = WorkflowVerifier(store, snapshots)
    check = ReplayCheck(store, verifier, Bus(), condition=shown.parts, period_s=0.001)
    await check.run()
    told = await shown()
    assert told["aetherops_workflow_divergences_total"] == 1
    assert told["aetherops_workflow_replays_total"] == 1

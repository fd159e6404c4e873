"""Workflows: where their events are kept, and what answers and changes over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from aetherops.api.metrics.read_models import ReadModelCollector
from aetherops.api.metrics.workflow_parts import WorkflowPartsCollector
from aetherops.connections.nats_events import NatsEventBus
from aetherops.connections.postgres import Postgres
from aetherops.errors import InvalidInputError
from aetherops.parts.replay_check import ReplayCheck
from aetherops.parts.workflow_projector import WorkflowProjector
from aetherops.parts.workflow_publisher import WorkflowPublisher
from aetherops.services.read_model_condition import ReadModelCondition
from aetherops.services.workflow_condition import WorkflowCondition
from aetherops.services.workflows import Workflows
from aetherops.workflow import EventCodec
from aetherops.workflow.jetstream import JetStreamPublisher, prepare_workflow_stream
from aetherops.workflow.postgres import PostgresEventStore
from aetherops.workflow.read_models.fold import SummaryFold
from aetherops.workflow.read_models.postgres import (
    PostgresProjector,
    PostgresReadModel,
    PostgresSnapshots,
)
from aetherops.workflow.snapshots.reading import SnapshotKeeper, StateReader
from aetherops.workflow.temporal import TemporalQueries
from aetherops.workflow.verification import WorkflowVerifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aetherops.api.metrics.registry import Metrics
    from aetherops.bootstrap.connections import Connections
    from aetherops.runtime.part import Part
    from aetherops.runtime.settings import Settings
    from aetherops.workflow import EventStore
    from aetherops.workflow.read_models.projecting import Rebuild

__all__ = ["WorkflowCapability", "rebuild_read_models", "workflows_over"]


@dataclass(frozen=True, slots=True)
class WorkflowCapability:
    """The events, what is offered over them, and the parts that run beside requests."""

    store: EventStore
    workflows: Workflows
    temporal: TemporalQueries
    verifier: WorkflowVerifier
    parts: Mapping[str, Part]


async def workflows_over(
    connections: Connections, settings: Settings, metrics: Metrics
) -> WorkflowCapability:
    """Workflows over these servers: parts fill what lists them, publish and check their events."""
    postgres, nats, condition = connections.postgres, connections.nats, ReadModelCondition()
    await prepare_workflow_stream(nats, settings.workflow_stream_bytes, settings.nats_replicas)
    store = PostgresEventStore(postgres)
    read_model, snapshots = PostgresReadModel(postgres), PostgresSnapshots(postgres)
    projector = WorkflowProjector(
        _projector(postgres),
        SnapshotKeeper(store, snapshots),
        store.appended,
        condition=condition,
    )
    verifier = WorkflowVerifier(store, snapshots, read_model)
    workflow_condition = WorkflowCondition()
    publisher = WorkflowPublisher(
        store, JetStreamPublisher(nats), store.appended, condition=workflow_condition
    )
    check = ReplayCheck(
        store,
        verifier,
        NatsEventBus(nats),
        condition=workflow_condition,
        period_s=settings.workflow_check_period_s,
    )
    metrics.registry.register(ReadModelCollector(condition))
    metrics.registry.register(WorkflowPartsCollector(workflow_condition))
    return WorkflowCapability(
        store,
        Workflows.over(store, read_model, states=StateReader(store, snapshots), verifier=verifier),
        TemporalQueries(store, read_model, snapshots),
        verifier,
        {
            "workflow-projector": projector,
            "workflow-publisher": publisher,
            "workflow-check": check,
        },
    )


async def rebuild_read_models(
    settings: Settings, on_progress: Callable[[int], object] = lambda _: None
) -> Rebuild:
    """Fill what lists workflows anew, on your PostgreSQL, beside what answers; see `Projector`.

    Instances go on meanwhile. An embedded server's is filled anew by its own instance.

    Raises
    ------
    InvalidInputError
        No address of a PostgreSQL is set, or a newer version fills the read models.
    UnreachableError
        No server answers there.
    """
    if settings.postgres_dsn is None:
        raise InvalidInputError("postgres_dsn", None, "the address of your PostgreSQL")
    async with Postgres.connect(settings.postgres_dsn.get_secret_value(), pool_size=1) as postgres:
        return await _projector(postgres).rebuild(on_progress)


def _projector(postgres: Postgres) -> PostgresProjector:
    """One that parses by the quickest parser there is."""
    return PostgresProjector(postgres, SummaryFold(EventCodec(parse=orjson.loads), orjson.loads))

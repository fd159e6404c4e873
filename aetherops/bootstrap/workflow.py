"""Workflows: where their events are kept, and what answers and changes over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from aetherops.api.metrics.read_models import ReadModelCollector
from aetherops.api.metrics.workflow_parts import WorkflowPartsCollector
from aetherops.bootstrap.execution import execution_over
from aetherops.connections.nats_events import NatsEventBus
from aetherops.connections.postgres import Postgres
from aetherops.parts.replay_check import ReplayCheck
from aetherops.parts.workflow_projector import WorkflowProjector
from aetherops.parts.workflow_publisher import WorkflowPublisher
from aetherops.runtime.data_dir.instance import read_instance
from aetherops.runtime.embedded.postgres import running_dsn
from aetherops.runtime.migrate import SchemaOutdatedError, missing_migrations
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
    execution = execution_over(postgres, store, settings, metrics)
    metrics.registry.register(ReadModelCollector(condition))
    metrics.registry.register(WorkflowPartsCollector(workflow_condition))
    return WorkflowCapability(
        store,
        Workflows.over(
            store,
            read_model,
            states=StateReader(store, snapshots),
            verifier=verifier,
            starting=execution.starting,
        ),
        TemporalQueries(store, read_model, snapshots),
        verifier,
        {
            "workflow-projector": projector,
            "workflow-publisher": publisher,
            "workflow-check": check,
            **execution.parts,
        },
    )


async def rebuild_read_models(
    settings: Settings, on_progress: Callable[[int, int], object] = lambda _, __: None
) -> Rebuild:
    """Fill what lists workflows anew, beside what answers, and swap; see `Projector.rebuild`.

    On your PostgreSQL, or on the embedded one of the platform that runs in the data directory.
    Instances go on meanwhile.

    Parameters
    ----------
    on_progress : is told, after each batch, the position it has come to, and that of the event
        which was the last one when it began.

    Raises
    ------
    InvalidInputError
        A newer version fills the read models, or no PostgreSQL is known.
    NotRunningError
        No address of a PostgreSQL is set, and no platform runs in the data directory.
    SchemaOutdatedError
        The database is to be migrated first.
    UnreachableError
        No server answers there.
    """
    async with Postgres.connect(_dsn(settings), pool_size=1) as postgres:
        if missing := await missing_migrations(postgres):
            raise SchemaOutdatedError(missing)
        last = await PostgresEventStore(postgres).last_position()
        return await _projector(postgres).rebuild(lambda position: on_progress(position, last))


def _dsn(settings: Settings) -> str:
    """Your PostgreSQL, else the one of the platform that runs on this machine."""
    if settings.postgres_dsn is not None:
        return settings.postgres_dsn.get_secret_value()
    read_instance(settings.data_dir)
    return running_dsn(settings.data_dir / "postgres")


def _projector(postgres: Postgres) -> PostgresProjector:
    """One that parses by the quickest parser there is."""
    return PostgresProjector(postgres, SummaryFold(EventCodec(parse=orjson.loads), orjson.loads))

"""Telemetry: where batches are accepted, the workers that store them, where questions are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.archive.jetstream import (
    JetStreamQueue,
    JetStreamRejected,
    JetStreamSource,
    Pull,
    check_server,
    prepare_streams,
)
from aetherops.archive.postgres import (
    PostgresAcceptanceEpochs,
    PostgresTelemetryStore,
    check_rights,
)
from aetherops.bootstrap.room import Room, room_of
from aetherops.parts.ingest_watch import IngestWatch
from aetherops.parts.ingest_worker import IngestWorker
from aetherops.services.ingest_condition import IngestCondition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.archive.store import TelemetryStore
    from aetherops.bootstrap.connections import Connections
    from aetherops.runtime.part import Part
    from aetherops.runtime.settings import Settings

__all__ = ["Telemetry", "telemetry_over"]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The archive, the queue in front of it, the workers between them, and how they fare."""

    store: TelemetryStore
    intake: JetStreamQueue
    rejected: JetStreamRejected
    condition: IngestCondition
    parts: Mapping[str, Part]
    room: Room


async def telemetry_over(connections: Connections, settings: Settings) -> Telemetry:
    """Telemetry over these servers; the streams that batches wait in are made where missing."""
    nats, room = connections.nats, room_of(settings)
    await check_server(nats)
    await prepare_streams(nats, room.backlog_bytes, settings.nats_replicas)
    await check_rights(connections.postgres)
    epochs = PostgresAcceptanceEpochs(connections.postgres)
    store = PostgresTelemetryStore(connections.postgres)
    condition = IngestCondition()
    intake = JetStreamQueue(nats, require_room=room.require_to_accept)
    pull = Pull(nats)
    workers = {
        f"ingest-{i}": IngestWorker(
            JetStreamSource(nats, epochs, room.require_to_store, pull),
            store,
            settings.ingest_fetch_batches,
            condition=condition,
            max_tries=settings.ingest_tries,
        )
        for i in range(settings.ingest_workers)
    }
    parts = {"ingest-watch": IngestWatch(intake, condition), **workers}
    return Telemetry(store, intake, JetStreamRejected(nats), condition, parts, room)

"""Telemetry: where batches are accepted, the workers that store them, where questions are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.archive.jetstream import JetStreamQueue, JetStreamSource, prepare_streams
from aetherops.archive.postgres import PostgresTelemetryStore
from aetherops.bootstrap.room import Room, room_of
from aetherops.parts.ingest_worker import IngestWorker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.archive.store import TelemetryStore
    from aetherops.bootstrap.connections import Connections
    from aetherops.runtime.part import Part
    from aetherops.runtime.settings import Settings

__all__ = ["Telemetry", "telemetry_over"]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The archive, the queue in front of it, the workers between them, and their room."""

    store: TelemetryStore
    intake: JetStreamQueue
    parts: Mapping[str, Part]
    room: Room


async def telemetry_over(connections: Connections, settings: Settings) -> Telemetry:
    """Telemetry over these servers; the streams that batches wait in are made where missing."""
    nats, room = connections.nats, room_of(settings)
    await prepare_streams(nats, room.backlog_bytes)
    store = PostgresTelemetryStore(connections.postgres)
    workers = {
        f"ingest-{i}": IngestWorker(
            JetStreamSource(nats, room.require_to_store), store, settings.ingest_fetch_batches
        )
        for i in range(settings.ingest_workers)
    }
    intake = JetStreamQueue(nats, require_room=room.require_to_accept)
    return Telemetry(store, intake, workers, room)

"""Telemetry: where batches are accepted, the workers that store them, where questions are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.archive.jetstream import JetStreamQueue, JetStreamSource, prepare_streams
from aetherops.archive.postgres import PostgresTelemetryStore
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
    """The archive, the queue in front of it, and the workers between them."""

    store: TelemetryStore
    intake: JetStreamQueue
    parts: Mapping[str, Part]


async def telemetry_over(connections: Connections, settings: Settings) -> Telemetry:
    """Telemetry over these servers; the streams that batches wait in are made where missing."""
    nats = connections.nats
    await prepare_streams(nats, settings.ingest_backlog_bytes)
    store = PostgresTelemetryStore(connections.postgres)
    workers = {
        f"ingest-{i}": IngestWorker(JetStreamSource(nats), store, settings.ingest_fetch_batches)
        for i in range(settings.ingest_workers)
    }
    return Telemetry(store, JetStreamQueue(nats), workers)

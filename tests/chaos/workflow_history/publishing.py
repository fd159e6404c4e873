"""A publisher: ``python -m workflow_history.publishing DSN NATS_URL``; ends with SIGTERM."""

from __future__ import annotations

import asyncio
import sys

from aetherops.connections.nats import Nats
from aetherops.parts.workflow_publisher import WorkflowPublisher
from aetherops.workflow.jetstream import JetStreamPublisher
from workflow_history.connecting import connected_store, stop_signal


async def main(dsn: str, nats_url: str) -> None:
    """Publish until asked to end."""
    stop = stop_signal()
    async with connected_store(dsn) as store, Nats.connect(nats_url) as nats:
        part = WorkflowPublisher(store, JetStreamPublisher(nats), poll_s=0.05)
        running = asyncio.create_task(part.run())
        await stop.wait()
        part.stop()
        await running


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

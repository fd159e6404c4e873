"""A runner: ``python -m workflow_history.runner DSN EFFECTS NAME SEED``; ends with SIGTERM."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import structlog

from aetherops.connections.postgres import Postgres
from aetherops.errors import UnavailableError
from aetherops.parts.workflow_runner import WorkflowRunner
from aetherops.workflow.execution import Registry
from aetherops.workflow.postgres import PostgresEventStore
from aetherops.workflow.postgres.leases import PostgresLeases
from workflow_history.connecting import RETRY_S, eager_breaker, stop_signal
from workflow_history.executed import LEASE_S, Effects, registry_with


async def main(dsn: str, effects_path: str, name: str, seed: str) -> None:
    """Execute until asked to end."""
    stop = stop_signal()
    # Standard output is a pipe that nobody reads.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    effects = Effects(Path(effects_path))
    registry = registry_with(effects, random.Random(f"{seed}-{name}"))
    while not stop.is_set():
        try:
            async with Postgres.connect(dsn, eager_breaker(), pool_size=4) as postgres:
                await _execute(postgres, registry, name, stop)
        except UnavailableError:
            await asyncio.sleep(RETRY_S)


async def _execute(
    postgres: Postgres,
    registry: Registry,
    name: str,
    stop: asyncio.Event,
) -> None:
    part = WorkflowRunner(
        PostgresEventStore(postgres),
        PostgresLeases(postgres, name, LEASE_S, grace_s=2),
        registry,
        name=name,
        lease_s=LEASE_S,
        poll_s=0.05,
    )
    running = asyncio.create_task(part.run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    part.stop()
    await running
    stopping.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

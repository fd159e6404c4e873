"""How processes of a history connect: as services do, and again for as long as it takes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aetherops.connections.postgres import Postgres, is_postgres_away
from aetherops.errors import UnavailableError
from aetherops.resilience import Breaker, BreakerPolicy
from aetherops.workflow.postgres import PostgresEventStore

__all__ = ["RETRY_S", "connected_store", "eager_breaker", "stop_signal"]

RETRY_S = 0.05


@asynccontextmanager
async def connected_store(dsn: str) -> AsyncIterator[PostgresEventStore]:
    """A store on a database that may be away just now."""
    while True:
        handle = Postgres.connect(dsn, eager_breaker(), pool_size=4)
        try:
            postgres = await handle.__aenter__()
        except UnavailableError:
            await asyncio.sleep(RETRY_S)
            continue
        yield PostgresEventStore(postgres)
        # No polite end: the connections may be dead, and so is this process at once.
        postgres.pool.terminate()
        return


def eager_breaker() -> Breaker:
    """One that soon asks again whether the server is there."""
    policy = BreakerPolicy(reset_timeout_s=0.1, max_reset_timeout_s=0.5)
    return Breaker("postgres", policy, detector=is_postgres_away)


def stop_signal() -> asyncio.Event:
    """Set once this process is asked to end; from now on it may be."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    # Nothing is ever written there: it ends with who started this process, and so does this.
    loop.add_reader(sys.stdin.fileno(), os._exit, 1)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    return stop

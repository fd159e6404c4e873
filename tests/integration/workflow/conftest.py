"""Event stores: the same tests for each; and what tests do to PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import pytest

from aetherops.connections.postgres import Postgres
from aetherops.workflow import EventStore, MemoryEventStore
from aetherops.workflow.postgres import PostgresEventStore

WAITING = """
SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted
"""


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def store(request: pytest.FixtureRequest) -> EventStore:
    """An empty event store; on PostgreSQL as the role that serves."""
    if request.param == "memory":
        return MemoryEventStore()
    return PostgresEventStore(request.getfixturevalue("runtime_postgres"))


@pytest.fixture
def postgres_store(runtime_postgres: Postgres) -> PostgresEventStore:
    """An empty event store on PostgreSQL, as the role that serves."""
    return PostgresEventStore(runtime_postgres)


@pytest.fixture
def turn_taken(runtime_dsn: str) -> Callable[[], AbstractAsyncContextManager[None]]:
    """A block during which somebody else's append has its turn, and does not end."""

    @asynccontextmanager
    async def taken() -> AsyncIterator[None]:
        connection = await asyncpg.connect(runtime_dsn)
        try:
            async with connection.transaction():
                await connection.execute("SELECT workflow_take_turn()")
                yield
        finally:
            await connection.close()

    return taken


@pytest.fixture
def until_waiting(postgres_pool: asyncpg.Pool) -> Callable[[int], Awaitable[None]]:
    """Returns once so many sessions of this database wait for their turn."""

    async def wait(sessions: int) -> None:
        async with asyncio.timeout(30):
            while await postgres_pool.fetchval(WAITING) < sessions:
                await asyncio.sleep(0.01)

    return wait

"""Event stores: the same tests for each."""

from __future__ import annotations

import pytest

from aetherops.workflow import EventStore, MemoryEventStore
from aetherops.workflow.postgres import PostgresEventStore


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def store(request: pytest.FixtureRequest) -> EventStore:
    """An empty event store; on PostgreSQL as the role that serves."""
    if request.param == "memory":
        return MemoryEventStore()
    return PostgresEventStore(request.getfixturevalue("runtime_postgres"))

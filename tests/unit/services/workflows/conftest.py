"""Workflows over a store in memory, with a clock that the test turns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aetherops.identity.operators import Operator
from aetherops.services.workflows import Cause, WorkflowCommands, WorkflowQueries, Workflows
from aetherops.workflow import MemoryEventStore
from aetherops.workflow.read_models.memory import MemoryReadModel


class Clock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


class Unlimited:
    """Pays for everything, and remembers how much that was."""

    def __init__(self) -> None:
        self.spent = 0

    async def charge(self, cost: int) -> None:
        self.spent += cost


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter() -> Unlimited:
    return Unlimited()


@pytest.fixture
def store(clock: Clock) -> MemoryEventStore:
    return MemoryEventStore(now=clock)


@pytest.fixture
def workflows(store: MemoryEventStore, clock: Clock) -> Workflows:
    return Workflows.over(store, MemoryReadModel(store), clock)


@pytest.fixture
def commands(workflows: Workflows) -> WorkflowCommands:
    return workflows.commands


@pytest.fixture
def queries(workflows: Workflows) -> WorkflowQueries:
    return workflows.queries


@pytest.fixture
def ann() -> Cause:
    return Cause.of(Operator("ann", "Ann", frozenset({"operator"})))

"""Runners over one PostgreSQL, and the workflows that they execute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aetherops.connections.postgres import Postgres
from aetherops.parts.workflow_runner import WorkflowRunner
from aetherops.services.runner_condition import RunnerCondition
from aetherops.workflow import WorkflowProjection, WorkflowState
from aetherops.workflow.events.base import WorkflowEvent
from aetherops.workflow.execution import (
    Registry,
    StepDefinition,
    WorkflowDefinition,
    start_workflow,
)
from aetherops.workflow.postgres import PostgresEventStore
from aetherops.workflow.postgres.leases import PostgresLeases

__all__ = ["Fleet"]


class Fleet:
    """A database, what can be executed on it, and runners that come and go."""

    def __init__(self, postgres: Postgres, registry: Registry | None = None) -> None:
        self.postgres = postgres
        self.store = PostgresEventStore(postgres)
        self.registry = registry or Registry()

    def define(self, *steps: StepDefinition, version: int = 1) -> WorkflowDefinition:
        """Register these steps as a version of one workflow."""
        return self.registry.add(WorkflowDefinition("test", version, steps))

    @asynccontextmanager
    async def runner(
        self, name: str = "runner", lease_s: float = 30.0, **options: object
    ) -> AsyncIterator[RunnerCondition]:
        """A runner while the block runs; what it holds and did."""
        condition = RunnerCondition()
        part = WorkflowRunner(
            PostgresEventStore(self.postgres),
            PostgresLeases(self.postgres, name, lease_s),
            self.registry,
            name=name,
            lease_s=lease_s,
            poll_s=0.02,
            condition=condition,
            **options,  # type: ignore[arg-type]
        )
        running = asyncio.create_task(part.run())
        try:
            yield condition
        finally:
            part.stop()
            await running

    async def start(
        self, definition: WorkflowDefinition, workflow_id: str = "w", **options: Any
    ) -> str:
        """Begin it as somebody called ana."""
        leases = PostgresLeases(self.postgres, "starter")
        return await start_workflow(
            self.store,
            leases,
            definition,
            actor="ana",
            now=lambda: datetime.now(UTC),
            workflow_id=workflow_id,
            **options,
        )

    async def state(self, workflow_id: str = "w") -> WorkflowState:
        """The fold of everything that is stored of it."""
        return WorkflowProjection.of(await self.store.get_events(workflow_id))

    async def until(
        self, holds: Callable[[WorkflowState], bool], workflow_id: str = "w"
    ) -> WorkflowState:
        """The first state seen of which that holds."""
        async with asyncio.timeout(60):
            while not holds(state := await self.state(workflow_id)):
                await asyncio.sleep(0.02)
        assert not state.irregular
        return state

    async def until_done(self, workflow_id: str = "w") -> WorkflowState:
        """The state at its end."""
        return await self.until(lambda state: state.is_done, workflow_id)

    async def tell(self, kind: type[WorkflowEvent], actor: str, **payload: object) -> None:
        """What an operator's command appends."""
        version = (await self.state()).version + 1
        await self.store.append(kind("w", version, actor=actor, **payload))

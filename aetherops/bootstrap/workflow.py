"""Workflows: where their events are kept, and what answers and changes over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.services.workflows import Workflows
from aetherops.workflow.postgres import PostgresEventStore
from aetherops.workflow.read_models.memory import MemoryReadModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.bootstrap.connections import Connections
    from aetherops.runtime.part import Part
    from aetherops.workflow import EventStore

__all__ = ["WorkflowCapability", "workflows_over"]


@dataclass(frozen=True, slots=True)
class WorkflowCapability:
    """The events, what is offered over them, and the parts that run beside requests."""

    store: EventStore
    workflows: Workflows
    parts: Mapping[str, Part]


def workflows_over(connections: Connections) -> WorkflowCapability:
    """Workflows over these servers."""
    store = PostgresEventStore(connections.postgres)
    return WorkflowCapability(store, Workflows.over(store, MemoryReadModel(store)), {})

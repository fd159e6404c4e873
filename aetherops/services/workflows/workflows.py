"""The two sides of workflows, over one store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from aetherops.services.workflows.commands import WorkflowCommands
from aetherops.services.workflows.queries import WorkflowQueries
from aetherops.workflow import MemoryEventStore
from aetherops.workflow.read_models.memory import MemoryReadModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from aetherops.services.workflows.reading import ReadsStates
    from aetherops.services.workflows.starting import WorkflowStarting
    from aetherops.workflow import EventStore
    from aetherops.workflow.read_models.ports import WorkflowReadModel
    from aetherops.workflow.verification import WorkflowVerifier

__all__ = ["Workflows"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Workflows:
    """What changes workflows, what answers about them, and what begins those to execute."""

    commands: WorkflowCommands
    queries: WorkflowQueries
    starting: WorkflowStarting | None = None

    @classmethod
    def over(
        cls,
        store: EventStore,
        read_model: WorkflowReadModel,
        now: Callable[[], datetime] = _now,
        states: ReadsStates | None = None,
        verifier: WorkflowVerifier | None = None,
        starting: WorkflowStarting | None = None,
    ) -> Self:
        """Both over one store.

        Parameters
        ----------
        read_model : follows the same store; lists and searches.
        now : the clock of what occurs, UTC-aware.
        states : reads states sooner than by folding all events, from kept ones say.
        verifier : replays a workflow.
        starting : begins workflows that runners execute; none is begun where not given.
        """
        queries = WorkflowQueries(store, read_model, states, verifier)
        return cls(WorkflowCommands(store, now, states), queries, starting)

    @classmethod
    def in_memory(cls) -> Self:
        """Both over a store that lives as long as the process."""
        store = MemoryEventStore()
        return cls.over(store, MemoryReadModel(store))

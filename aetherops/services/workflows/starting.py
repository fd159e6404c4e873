"""Beginning workflows that runners execute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.workflow import ConcurrencyError, WorkflowProjection, uuid7
from aetherops.workflow.execution import start_workflow

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aetherops.services.workflows.cause import Cause
    from aetherops.workflow import EventStore, WorkflowState
    from aetherops.workflow.execution import Leases, Registry
    from aetherops.workflow.json_values import JsonValue

__all__ = ["WorkflowStarting"]


class WorkflowStarting:
    """Begins workflows by the newest definition that this process has.

    Parameters
    ----------
    store, leases : where events and claims are kept.
    registry : what can be executed.
    now : the clock of what occurs, UTC-aware.
    """

    def __init__(
        self,
        store: EventStore,
        leases: Leases,
        registry: Registry,
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._leases, self._registry, self._now = store, leases, registry, now

    async def start(
        self,
        cause: Cause,
        name: str,
        workflow_id: str | None = None,
        *,
        owner: str | None = None,
        input: JsonValue = None,  # noqa: A002 (the name of the event's field)
    ) -> WorkflowState:
        """Begin it, and return its state; under the event id of one begun before, that one's.

        Raises
        ------
        UnknownDefinitionError
            No such workflow is known here.
        ConcurrencyError
            There is another workflow of this id.
        """
        workflow_id = str(uuid7()) if workflow_id is None else workflow_id
        try:
            await start_workflow(
                self._store,
                self._leases,
                self._registry.latest(name),
                actor=cause.actor,
                now=self._now,
                workflow_id=workflow_id,
                owner=owner,
                input=input,
                event_id=cause.event_id,
                correlation_id=cause.correlation_id,
                causation_id=cause.causation_id,
            )
        except ConcurrencyError:
            events = await self._store.get_events(workflow_id)
            if not events or events[0].event_id != cause.event_id:
                raise
        return WorkflowProjection.of(await self._store.get_events(workflow_id))

"""States of workflows from kept ones and the events after them; and keeping further ones."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from aetherops.workflow.projection.projection import WorkflowProjection
from aetherops.workflow.snapshots.kept import KeptState, SnapshotStore, keep_state

if TYPE_CHECKING:
    from aetherops.workflow.state import WorkflowState
    from aetherops.workflow.store import EventStore

__all__ = ["SNAPSHOT_EVERY", "SnapshotKeeper", "StateReader"]

#: How many events of a workflow lie between two of its kept states, at least.
SNAPSHOT_EVERY = 200
# A state that grows with its history is kept the less often: all of them together take no more
# than so many bytes an event.
_BYTES_AN_EVENT = 100


class StateReader:
    """Reads states: the same as by folding all events, and sooner.

    Parameters
    ----------
    store : where the events are.
    snapshots : where states are kept; without it every event is folded.
    """

    def __init__(self, store: EventStore, snapshots: SnapshotStore | None = None) -> None:
        self._store = store
        self._snapshots = snapshots

    async def projection(
        self, workflow_id: str, until: int | datetime | None = None
    ) -> WorkflowProjection:
        """The fold of the events up to a version, or recorded up to an instant; all by default.

        Parameters
        ----------
        until : an instant carries an offset.

        Returns
        -------
        A projection of version 0 where there is no such event.
        """
        state = await self._kept(workflow_id, until)
        return await self._store.replay(workflow_id, WorkflowProjection(state), until=until)

    async def _kept(self, workflow_id: str, until: int | datetime | None) -> WorkflowState | None:
        """The last kept state, if the event after which it was kept is the one that is stored."""
        if self._snapshots is None:
            return None
        kept = await self._snapshots.find(workflow_id, until)
        state = None if kept is None else kept.state(self._snapshots.parse)
        if kept is None or state is None:
            return None
        at = kept.version
        events = await self._store.get_events(workflow_id, after=at - 1, until=at)
        return state if events and kept.is_before(events[0]) else None


class SnapshotKeeper:
    """Keeps a state every so many events.

    Parameters
    ----------
    store : where the events are.
    snapshots : where states are kept.
    every : events of a workflow between two of its kept states, at least.
    """

    def __init__(
        self, store: EventStore, snapshots: SnapshotStore, every: int = SNAPSHOT_EVERY
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._every = every

    async def keep(self, workflow_id: str, version: int) -> int:
        """Keep what is not kept yet of a workflow up to a version; returns how many states."""
        kept = await self._snapshots.find(workflow_id, version)
        begin: WorkflowState | None = (
            kept.state(self._snapshots.parse) if kept is not None else None
        )
        if kept is None or begin is None:
            last, wait, projection = 0, self._every, WorkflowProjection()
        else:
            last, wait, projection = kept.version, self._wait(kept), WorkflowProjection(begin)
        if version - last < wait:
            return 0
        states: list[KeptState] = []
        for event in await self._store.get_events(workflow_id, after=last, until=version):
            projection.apply(event)
            if event.version % self._every == 0 and event.version - last >= wait:
                states.append(keep_state(projection.state, event))
                last, wait = event.version, self._wait(states[-1])
        await self._snapshots.keep(states)
        return len(states)

    async def forget_some(self) -> bool:
        """See `SnapshotStore.forget_some`."""
        return await self._snapshots.forget_some()

    def _wait(self, kept: KeptState) -> int:
        """Events from this one to the next."""
        return max(self._every, len(kept.data) // _BYTES_AN_EVENT)

"""Replay validation: do the events, told once more, say what is stored and answered?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from aetherops.resilience import replay_converges
from aetherops.workflow.errors import (
    MissingEventError,
    UnreadableEventError,
    WorkflowNotFoundError,
)
from aetherops.workflow.projection.projection import WorkflowProjection
from aetherops.workflow.snapshots.reading import StateReader
from aetherops.workflow.state_json import state_from_json, state_to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aetherops.workflow.events.base import WorkflowEvent
    from aetherops.workflow.read_models.ports import WorkflowReadModel
    from aetherops.workflow.snapshots.kept import SnapshotStore
    from aetherops.workflow.state import WorkflowState
    from aetherops.workflow.store import EventStore

__all__ = ["Divergence", "Verification", "WorkflowVerifier", "replay_records"]

# A state is compared after so many events, and after the last one.
_STATE_EVERY = 500


@dataclass(frozen=True, slots=True)
class Divergence:
    """Something that a replay says otherwise.

    Parameters
    ----------
    what : ``"event"``, ``"state"`` or ``"read model"``.
    version : of the event, or up to which the state was folded.
    stored, replayed : digests, or texts, of both; None where one has nothing.
    """

    what: str
    version: int
    stored: str | None
    replayed: str | None

    def __str__(self) -> str:
        return (
            f"{self.what} at version {self.version}: stored {self.stored}, replayed {self.replayed}"
        )


@dataclass(frozen=True, slots=True)
class Verification:
    """What a replay of one workflow found.

    Parameters
    ----------
    workflow_id : which.
    version : up to which it was replayed.
    converges : whether payloads, order and states are the same.
    divergences : where they are not.
    irregular : versions of events that the rules do not allow; they are stored, and no divergence.
    """

    workflow_id: str
    version: int
    converges: bool
    divergences: Sequence[Divergence] = ()
    irregular: Sequence[int] = ()


def replay_records(
    events: Sequence[WorkflowEvent], states: Mapping[int, WorkflowState]
) -> list[dict[str, Any]]:
    """What `resilience.replay_converges` compares: each event and each state, by its id.

    Parameters
    ----------
    events : of one workflow, in order.
    states : by the version up to which they were folded.
    """
    records: list[dict[str, Any]] = [
        {
            "event_id": ("event", event.version),
            "content": _digest({**event.envelope, "kind": event.kind, "payload": event.payload}),
            "after": events[i - 1].event_id if i else None,
        }
        for i, event in enumerate(events)
    ]
    records += [
        {"event_id": ("state", version), "content": _digest(state_to_json(state))}
        for version, state in states.items()
    ]
    return records


class WorkflowVerifier:
    """Replays workflows and compares with what is stored.

    Two ways lead to the same records. As it is answered: events read in pieces, each folded onto
    the state before it as JSON keeps it, kept states and the read model where there are some. As it
    is replayed: all events read at once, and folded from the first.

    Parameters
    ----------
    store : where the events are.
    snapshots : where states are kept, if they are.
    read_model : lists workflows, if one does.
    """

    def __init__(
        self,
        store: EventStore,
        snapshots: SnapshotStore | None = None,
        read_model: WorkflowReadModel | None = None,
    ) -> None:
        self._store = store
        self._reader = StateReader(store, snapshots)
        self._read_model = read_model

    async def verify(self, workflow_id: str) -> Verification:
        """Replay a workflow; an event that is missing or cannot be read is a divergence too.

        Raises
        ------
        WorkflowNotFoundError
            It has no event.
        """
        try:
            return await self._replay(workflow_id)
        except (UnreadableEventError, MissingEventError) as error:
            return Verification(workflow_id, 0, False, [Divergence("event", 0, None, str(error))])

    async def _replay(self, workflow_id: str) -> Verification:
        replayed_events = await self._store.get_events(workflow_id)
        if not replayed_events:
            raise WorkflowNotFoundError(workflow_id)
        last = replayed_events[-1]
        replayed = replay_records(replayed_events, _states(replayed_events))
        stored = await self._as_answered(workflow_id, last.version)
        if self._read_model is not None:
            replayed.append(_facts_record(last.version, WorkflowProjection.of(replayed_events)))
            stored += await self._facts(workflow_id, last)
        return Verification(
            workflow_id,
            last.version,
            replay_converges(stored, replayed),
            _divergences(stored, replayed),
            WorkflowProjection.of(replayed_events).irregular,
        )

    async def _as_answered(self, workflow_id: str, version: int) -> list[dict[str, Any]]:
        events: list[WorkflowEvent] = []
        states: dict[int, WorkflowState] = {}
        projection = WorkflowProjection()
        while len(events) < version:
            end = min(len(events) + _STATE_EVERY, version)
            piece = await self._store.get_events(workflow_id, after=len(events), until=end)
            if not piece:
                break
            events += piece
            projection = WorkflowProjection(
                state_from_json(json.loads(json.dumps(state_to_json(projection.state))))
                if projection.version
                else None
            ).apply_many(piece)
            states[end] = projection.state
        states[version] = (await self._reader.projection(workflow_id, version)).state
        return replay_records(events, states)

    async def _facts(self, workflow_id: str, last: WorkflowEvent) -> list[dict[str, Any]]:
        """What the read model says as of the last event; nothing while it is behind."""
        assert self._read_model is not None
        assert last.position is not None
        if not await self._read_model.wait_until(last.position):
            return []
        return [
            _record_of_facts(last.version, facts.status, facts.owner, facts.paused)
            for facts in await self._read_model.facts_at(last.position, [workflow_id])
        ]


def _states(events: Sequence[WorkflowEvent]) -> dict[int, WorkflowState]:
    states: dict[int, WorkflowState] = {}
    projection = WorkflowProjection()
    for event in events:
        projection.apply(event)
        if event.version % _STATE_EVERY == 0 or event is events[-1]:
            states[event.version] = projection.state
    return states


def _facts_record(version: int, state: WorkflowState) -> dict[str, Any]:
    return _record_of_facts(version, state.status, state.owner, state.paused)


def _record_of_facts(version: int, status: str, owner: str | None, paused: bool) -> dict[str, Any]:
    return {"event_id": ("read model", version), "content": str((status, owner, paused))}


def _divergences(
    stored: Sequence[Mapping[str, Any]], replayed: Sequence[Mapping[str, Any]]
) -> list[Divergence]:
    ours = {record["event_id"]: record for record in stored}
    theirs = {record["event_id"]: record for record in replayed}
    return [
        Divergence(key[0], key[1], _content(ours.get(key)), _content(theirs.get(key)))
        for key in ours | theirs
        if ours.get(key) != theirs.get(key)
    ]


def _content(record: Mapping[str, Any] | None) -> str | None:
    return None if record is None else str(record["content"])


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=16).hexdigest()

"""A state as it is kept at one version of its workflow, and where such states are kept."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

from aetherops.workflow.projection.projection import PROJECTION_VERSION
from aetherops.workflow.snapshots.restoring import dump_state, restore_state
from aetherops.workflow.state import WorkflowState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from aetherops.workflow.events.base import WorkflowEvent

__all__ = ["KeptState", "MemorySnapshots", "SnapshotStore", "keep_state"]

# A program whose states have other fields finds other digests.
_STATE_FIELDS = tuple(f.name for f in fields(WorkflowState))
# States are of repeated words: the quickest level takes most of what there is to take.
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class KeptState:
    """The state that the events up to a version gave.

    Parameters
    ----------
    workflow_id, version : of the last of these events.
    recorded_at, event_id : of the same event: of a store with another past it is another.
    projection_version : of the fold that gave it.
    data : JSON, deflated.
    digest : of all the above, so that damage is seen.
    """

    workflow_id: str
    projection_version: int
    version: int
    recorded_at: datetime
    event_id: UUID
    data: bytes
    digest: bytes

    def state(self, parse: Callable[[bytes], Any] = json.loads) -> WorkflowState | None:
        """The state; None where it is damaged, or of another projection."""
        if self.projection_version != PROJECTION_VERSION or self.digest != _digest(self):
            return None
        state = restore_state(parse(zlib.decompress(self.data)))
        is_of_workflow = state.workflow_id == self.workflow_id and state.version == self.version
        return state if is_of_workflow else None

    def is_before(self, event: WorkflowEvent) -> bool:
        """Whether this is the very event after which it was kept."""
        return event.event_id == self.event_id and event.version == self.version


class SnapshotStore(Protocol):
    """Keeps states. Losing all of them loses nothing but time."""

    def parse(self, data: bytes) -> Any:
        """JSON to an object, as quickly as where it is kept can."""
        ...

    async def find(self, workflow_id: str, until: int | datetime | None) -> KeptState | None:
        """The last state of this projection up to a version, or recorded up to an instant."""
        ...

    async def keep(self, states: Sequence[KeptState]) -> None:
        """Keep these, in place of those of the same workflow, projection and version."""
        ...

    async def forget_some(self) -> bool:
        """Remove some states of earlier projections; whether there may be more of them."""
        ...


class MemorySnapshots:
    """`SnapshotStore` as long as its process lives."""

    def __init__(self) -> None:
        self.states: dict[tuple[str, int, int], KeptState] = {}

    def parse(self, data: bytes) -> Any:
        """See `SnapshotStore.parse`."""
        return json.loads(data)

    async def find(self, workflow_id: str, until: int | datetime | None) -> KeptState | None:
        """See `SnapshotStore.find`."""
        found = [
            one
            for one in self.states.values()
            if one.workflow_id == workflow_id
            and one.projection_version == PROJECTION_VERSION
            and _is_until(one, until)
        ]
        return max(found, key=lambda one: one.version, default=None)

    async def keep(self, states: Sequence[KeptState]) -> None:
        """See `SnapshotStore.keep`."""
        for one in states:
            self.states[one.workflow_id, one.projection_version, one.version] = one

    async def forget_some(self) -> bool:
        """See `SnapshotStore.forget_some`."""
        self.states = {key: one for key, one in self.states.items() if key[1] >= PROJECTION_VERSION}
        return False


def keep_state(state: WorkflowState, last: WorkflowEvent) -> KeptState:
    """A state to keep, and the event that led to it, as a store recorded it."""
    assert last.recorded_at is not None
    text = json.dumps(dump_state(state), ensure_ascii=False, separators=(",", ":"))
    kept = KeptState(
        state.workflow_id,
        PROJECTION_VERSION,
        state.version,
        last.recorded_at,
        last.event_id,
        zlib.compress(text.encode(), _LEVEL),
        b"",
    )
    object.__setattr__(kept, "digest", _digest(kept))
    return kept


def _is_until(kept: KeptState, until: int | datetime | None) -> bool:
    if until is None:
        return True
    return kept.version <= until if isinstance(until, int) else kept.recorded_at <= until


def _digest(kept: KeptState) -> bytes:
    of = (
        *_STATE_FIELDS,
        kept.workflow_id,
        kept.projection_version,
        kept.version,
        kept.recorded_at.timestamp(),
        kept.event_id.hex,
    )
    return blake2b(kept.data, digest_size=16, key=blake2b(repr(of).encode()).digest()).digest()

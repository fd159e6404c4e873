"""States before and after restarts: the same events, the same fold."""

from __future__ import annotations

import json
import random
from pathlib import Path

from aetherops.workflow import WorkflowProjection
from aetherops.workflow.postgres import PostgresEventStore
from workflow_history.reader import state_digest

__all__ = ["Sample", "read_states", "stored_state"]

_SAMPLE = 8
_LATEST = 2_000


async def stored_state(
    store: PostgresEventStore, workflow_id: str, version: int | None = None
) -> tuple[int, str]:
    """A version and the state at it, folded from what is stored."""
    state = WorkflowProjection.of(await store.get_events(workflow_id, until=version))
    return state.version, state_digest(state)


class Sample:
    """States of some workflows, to be found again."""

    def __init__(self, states: dict[str, tuple[int, str]]) -> None:
        self._states = states

    @classmethod
    async def of(cls, store: PostgresEventStore, chance: random.Random) -> Sample:
        """Of some that were appended to lately."""
        last = await store.last_position()
        latest = await store.read_from(max(last - _LATEST, 0), _LATEST)
        names = sorted({event.workflow_id for event in latest})
        chosen = chance.sample(names, min(_SAMPLE, len(names)))
        return cls({name: await stored_state(store, name) for name in chosen})

    async def faults(self, store: PostgresEventStore) -> list[str]:
        """Which of them are others now."""
        return [
            f"{name}: the state at version {version} is another after a restart"
            for name, (version, state) in self._states.items()
            if await stored_state(store, name, version) != (version, state)
        ]


def read_states(path: Path) -> dict[str, tuple[int, str]]:
    """What a reader folded."""
    found = json.loads(path.with_suffix(".states").read_text(encoding="utf-8"))
    return {name: (version, state) for name, (version, state) in found.items()}

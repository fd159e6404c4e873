"""From when on a workflow's past is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.workflow.checks import instant
from aetherops.workflow.errors import (
    NotYetCreatedError,
    UnknownBeforeMigrationError,
    WorkflowNotFoundError,
)
from aetherops.workflow.events.kinds import SnapshotTaken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from aetherops.workflow.events.base import WorkflowEvent
    from aetherops.workflow.store import EventStore

__all__ = ["require_known", "why_nothing"]


def require_known(events: Sequence[WorkflowEvent], at: datetime) -> None:
    """Make sure that nobody guesses what a workflow was before its events were kept.

    Parameters
    ----------
    events : the workflow's, from its first on; only the first one is looked at.
    at : the instant that is asked about, with an offset.

    Raises
    ------
    UnknownBeforeMigrationError
        The first event is a snapshot, and the instant lies before it.
    """
    first = events[0] if events else None
    if not isinstance(first, SnapshotTaken):
        return
    known_since = first.recorded_at or first.occurred_at
    if instant(at, "at") < known_since:
        raise UnknownBeforeMigrationError(first.workflow_id, at, known_since)


async def why_nothing(store: EventStore, workflow_id: str, at: datetime) -> Exception:
    """The error of a question to which no event that was recorded up to an instant is an answer."""
    first = await store.get_events(workflow_id, until=1)
    if not first or first[0].recorded_at is None:
        return WorkflowNotFoundError(workflow_id)
    require_known(first, at)
    return NotYetCreatedError(workflow_id, at, first[0].recorded_at)

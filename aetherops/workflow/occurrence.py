"""A state by two times: what had occurred by one instant, as far as was known at another.

Events are told in the order in which they were recorded, and some are told late. What had occurred
by an instant is the fold of the events that occurred by then, in that order; those told of later
instants are left out. Once an instant is past the last occurrence, the answer is the fold of all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aetherops.workflow.checks import instant
from aetherops.workflow.errors import NotYetCreatedError, UnknownBeforeMigrationError
from aetherops.workflow.events.kinds import SnapshotTaken
from aetherops.workflow.projection.projection import WorkflowProjection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from aetherops.workflow.events.base import WorkflowEvent
    from aetherops.workflow.state import WorkflowState

__all__ = ["state_occurred_by"]


def state_occurred_by(events: Sequence[WorkflowEvent], at: datetime) -> WorkflowState:
    """The state that these events say of an instant at which things happened.

    Parameters
    ----------
    events : those that are known, from the first on, at least one.
    at : with an offset.

    Returns
    -------
    Its `version` is that of the last event that had occurred; `irregular` are versions too. An
    event whose ground occurred later, as it was told, is irregular here.

    Raises
    ------
    NotYetCreatedError
        The workflow was created later than that.
    UnknownBeforeMigrationError
        It was captured later than that.
    """
    at, first = instant(at, "occurred_at"), events[0]
    if first.occurred_at > at:
        told = UnknownBeforeMigrationError if isinstance(first, SnapshotTaken) else None
        raise (told or NotYetCreatedError)(first.workflow_id, at, first.occurred_at)
    occurred = [event for event in events if event.occurred_at <= at]
    # The fold looks for gaps, and here they are meant.
    state = WorkflowProjection.of(
        replace(event, version=number) for number, event in enumerate(occurred, start=1)
    )
    versions = [event.version for event in occurred]
    return replace(
        state,
        version=versions[-1],
        irregular=tuple(versions[number - 1] for number in state.irregular),
    )

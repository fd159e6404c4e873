"""Reading a workflow's events page by page, so that a long history holds up nobody else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from aetherops.workflow import WorkflowProjection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from datetime import datetime

    from aetherops.services.metering import Meter
    from aetherops.workflow import EventStore, WorkflowEvent

__all__ = [
    "MAX_SAID_BYTES",
    "ReadsStates",
    "bytes_said",
    "pages_of",
    "projection_of",
    "small_pages_of",
]

#: The most that the events of one answer say together: each may say up to a mebibyte.
MAX_SAID_BYTES = 16 << 20

_PAGE = 1000
_FIRST_PAGE = 16
# A request costs one unit, about a millisecond of a core; so does reading so many events.
_EVENTS_A_UNIT = 100
# About so many are read after a state that is kept.
_EVENTS_AFTER_KEPT = 400


class ReadsStates(Protocol):
    """Reads states sooner than by folding all events, and the same."""

    async def projection(
        self, workflow_id: str, until: datetime | None = None
    ) -> WorkflowProjection:
        """The fold of all events, or of those recorded up to an instant; of version 0 without."""
        ...


async def pages_of(
    store: EventStore,
    workflow_id: str,
    meter: Meter,
    *,
    after: int = 0,
    until: datetime | None = None,
) -> AsyncIterator[list[WorkflowEvent]]:
    """The events of a workflow after a version, up to what was recorded at an instant, by pages.

    Parameters
    ----------
    meter : pays one unit for every 100 events, before the next page is read.
    """
    full = True
    while full:
        page = await store.get_events(workflow_id, after=after, until=after + _PAGE)
        full = len(page) == _PAGE
        after += len(page)
        if until is not None and page and _recorded_at(page[-1]) > until:
            page, full = [event for event in page if _recorded_at(event) <= until], False
        await meter.charge(len(page) // _EVENTS_A_UNIT)
        yield page


async def projection_of(
    store: EventStore,
    workflow_id: str,
    meter: Meter,
    *,
    until: datetime | None = None,
    states: ReadsStates | None = None,
) -> WorkflowProjection:
    """The fold of all events, or of those recorded up to an instant; of version 0 without any.

    Parameters
    ----------
    states : reads it sooner; what it need not read is not paid for.
    """
    if states is not None:
        projection = await states.projection(workflow_id, until)
        await meter.charge(min(projection.version, _EVENTS_AFTER_KEPT) // _EVENTS_A_UNIT)
        return projection
    projection = WorkflowProjection()
    async for page in pages_of(store, workflow_id, meter, until=until):
        projection.apply_many(page)
    return projection


async def small_pages_of(
    store: EventStore, workflow_id: str, after: int, until: int
) -> AsyncIterator[list[WorkflowEvent]]:
    """The events of these versions in pages that grow, for who stops where they say too much."""
    count = _FIRST_PAGE
    while after < until:
        page = await store.get_events(workflow_id, after=after, until=min(after + count, until))
        if not page:
            return
        yield page
        after, count = page[-1].version, count * 4


def bytes_said(events: Iterable[WorkflowEvent]) -> int:
    """How much these events say, as JSON."""
    return sum(len(json.dumps(event.payload, default=str)) for event in events)


def _recorded_at(event: WorkflowEvent) -> datetime:
    assert event.recorded_at is not None  # it comes from a store
    return event.recorded_at

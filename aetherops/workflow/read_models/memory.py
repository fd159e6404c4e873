"""A read model in memory: it folds every event again where a question needs it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aetherops.errors import InvalidInputError
from aetherops.workflow.projection.projection import WorkflowProjection
from aetherops.workflow.read_models.ports import (
    WorkflowFacts,
    WorkflowPage,
    WorkflowQuery,
    WorkflowSummary,
    checked_page,
    summary_of,
)
from aetherops.workflow.states import is_terminal_state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from aetherops.workflow.events.base import WorkflowEvent
    from aetherops.workflow.state import WorkflowState
    from aetherops.workflow.store import EventStore

__all__ = ["MemoryReadModel", "matches"]

_BATCH = 1000


@dataclass(slots=True)
class _Fleet:
    """Every workflow up to a position."""

    position: int = 0
    projections: dict[str, WorkflowProjection] = field(default_factory=dict)
    updated_at: dict[str, datetime | None] = field(default_factory=dict)

    def take(self, events: Iterable[WorkflowEvent]) -> None:
        for event in events:
            self.projections.setdefault(event.workflow_id, WorkflowProjection()).apply(event)
            self.updated_at[event.workflow_id] = event.recorded_at
            self.position = event.position or self.position

    def summaries(self) -> list[WorkflowSummary]:
        """All of them, by id."""
        return [
            summary_of(self.projections[one].state, self.updated_at[one])
            for one in sorted(self.projections)
        ]


class MemoryReadModel:
    """Answers from the events themselves, for programs and tests that have few of them.

    Parameters
    ----------
    store : whose events it reads.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def search(
        self, query: WorkflowQuery, *, first: int = 100, after: str = ""
    ) -> WorkflowPage:
        """See `WorkflowReadModel.search`."""
        fleet = await self._fleet(await self._store.last_position())
        return _page(fleet.summaries(), query, first, after, fleet.position)

    async def fleet_at(
        self, position: int, query: WorkflowQuery, *, first: int = 100, after: str = ""
    ) -> WorkflowPage:
        """See `WorkflowReadModel.fleet_at`."""
        if query.quiet_since is not None:
            raise InvalidInputError("quiet_since", query.quiet_since, "none at an instant")
        fleet = await self._fleet(position)
        return _page(map(_as_of_then, fleet.summaries()), query, first, after, position)

    async def position(self) -> int:
        """See `WorkflowReadModel.position`."""
        return await self._store.last_position()

    async def wait_until(self, position: int, timeout_s: float = 2.0) -> bool:
        """See `WorkflowReadModel.wait_until`: read off the events, it is never behind."""
        return await self._store.last_position() >= position

    async def facts_at(
        self, position: int, among: Collection[str] | None = None
    ) -> list[WorkflowFacts]:
        """See `WorkflowReadModel.facts_at`."""
        return [
            WorkflowFacts(one.workflow_id, one.status, one.owner, one.paused)
            for one in (await self._fleet(position)).summaries()
            if among is None or one.workflow_id in among
        ]

    async def counts_at(self, position: int) -> Counter[str]:
        """See `WorkflowReadModel.counts_at`."""
        return Counter(one.status for one in await self.facts_at(position))

    async def unknown_at(self, position: int, timestamp: datetime) -> list[str]:
        """See `WorkflowReadModel.unknown_at`."""
        now = await self._fleet(await self._store.last_position())
        then = (await self._fleet(position)).projections
        return sorted(
            name
            for name, projection in now.projections.items()
            if name not in then and _lived_unseen(projection.state, timestamp)
        )

    async def _fleet(self, position: int) -> _Fleet:
        fleet = _Fleet()
        while fleet.position < position:
            batch = min(_BATCH, position - fleet.position)
            fleet.take(await self._store.read_from(fleet.position, batch))
        return fleet


def _lived_unseen(state: WorkflowState, timestamp: datetime) -> bool:
    """Whether it had been created by then, and its events were not kept from the beginning."""
    return (
        state.known_since is not None
        and state.created_at is not None
        and state.created_at <= timestamp
    )


def matches(query: WorkflowQuery, one: WorkflowSummary) -> bool:
    """Whether a workflow passes everything that the query gives."""
    text = query.text.casefold()
    return (
        (not query.statuses or one.status in query.statuses)
        and (query.owner is None or one.owner == query.owner)
        and (text in one.workflow_id.casefold() or text in one.name.casefold())
        and _is_later(one.created_at, query.created_after)
        and _is_later(query.created_before, one.created_at)
        and _is_quiet(one, query.quiet_since)
    )


def _is_later(one: datetime | None, than: datetime | None) -> bool:
    """Whether one is later; an end that is not given bounds nothing."""
    return one is None or than is None or one > than


def _is_quiet(one: WorkflowSummary, since: datetime | None) -> bool:
    if since is None:
        return True
    return not is_terminal_state(one.status) and _is_later(since, one.updated_at)


def _as_of_then(one: WorkflowSummary) -> WorkflowSummary:
    """What the fleet at an instant keeps of a workflow."""
    return replace(
        one,
        version=None,
        progress_pct=None,
        running_steps=(),
        pending_approvals=(),
        error=None,
        updated_at=None,
    )


def _page(
    found: Iterable[WorkflowSummary], query: WorkflowQuery, first: int, after: str, position: int
) -> WorkflowPage:
    rest = [one for one in found if one.workflow_id > after and matches(query, one)]
    page = rest[: checked_page(first)]
    return WorkflowPage(page, len(rest) > len(page), position)

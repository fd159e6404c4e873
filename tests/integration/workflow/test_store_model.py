"""A stateful property test: whatever is done to a store, it answers as a model of it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from aetherops.connections.postgres import Postgres
from aetherops.workflow import (
    ConcurrencyError,
    DuplicateEventError,
    EventStore,
    FencedError,
    MemoryEventStore,
    StepStarted,
    WorkflowEvent,
    WorkflowProjection,
)
from aetherops.workflow.postgres import PostgresEventStore

T = TypeVar("T")
OpenStore = Callable[[], AbstractAsyncContextManager[EventStore]]

MICROSECOND = timedelta(microseconds=1)
WORKFLOWS = st.sampled_from(["a", "b", "c"])


@dataclass
class Model:
    """What a store keeps, in the plainest form."""

    events: list[WorkflowEvent] = field(default_factory=list)
    epochs: dict[str, int] = field(default_factory=dict)

    def of(self, workflow_id: str) -> list[WorkflowEvent]:
        return [e for e in self.events if e.workflow_id == workflow_id]


class StoreMachine(RuleBasedStateMachine):
    """One store and the model side by side; what is stored stays for the next example."""

    open_store: OpenStore
    runs = 0

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened = self.open_store()
        self.store = self.run(self.opened.__aenter__())
        self.base = self.run(self.store.last_position())
        self.model = Model()
        type(self).runs += 1

    def teardown(self) -> None:
        self.run(self.opened.__aexit__(None, None, None))
        self.runner.close()

    def run(self, answer: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await answer

        return self.runner.run(awaited())

    def name(self, workflow: str) -> str:
        return f"{workflow}-{self.runs}"

    def append(self, events: list[WorkflowEvent], **arguments: Any) -> list[WorkflowEvent]:
        return self.run(self.store.append_many(events, **arguments))

    def next_events(self, workflow_id: str, n: int, ahead: int = 0) -> list[WorkflowEvent]:
        first = len(self.model.of(workflow_id)) + 1 + ahead
        return [StepStarted(workflow_id, first + i, step=f"s{i}", input=n) for i in range(n)]

    @rule(workflow=WORKFLOWS, n=st.integers(1, 4), holder=st.booleans())
    def append_next(self, workflow: str, n: int, holder: bool) -> None:
        workflow_id = self.name(workflow)
        epoch = self.model.epochs.get(workflow_id) if holder else None
        events = self.next_events(workflow_id, n)
        stored = self.append(events, epoch=epoch)
        first = self.base + len(self.model.events) + 1
        assert stored == events
        assert [e.position for e in stored] == list(range(first, first + n))
        times = [e.recorded_at for e in [*self.model.events[-1:], *stored]]
        assert times == sorted(set(times))  # type: ignore[type-var]
        self.model.events += stored

    @rule(workflow=WORKFLOWS, n=st.integers(1, 3), ahead=st.sampled_from([-2, -1, 1, 5]))
    def append_at_a_wrong_version(self, workflow: str, n: int, ahead: int) -> None:
        workflow_id = self.name(workflow)
        version = len(self.model.of(workflow_id))
        if version + ahead < 0:
            return
        with pytest.raises(ConcurrencyError) as refused:
            self.append(self.next_events(workflow_id, n, ahead))
        assert (refused.value.expected, refused.value.actual) == (version + ahead, version)

    @precondition(lambda self: self.model.events)
    @rule(data=st.data())
    def append_again(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(self.model.events))
        of_workflow = self.model.of(event.workflow_id)
        again = of_workflow[event.version - 1 :][: data.draw(st.integers(1, 4))]
        stored = self.append(again)
        assert [(e, e.position, e.recorded_at) for e in stored] == [
            (e, e.position, e.recorded_at) for e in again
        ]

    @precondition(lambda self: self.model.events)
    @rule(data=st.data(), workflow=WORKFLOWS)
    def append_other_content_under_a_known_id(self, data: st.DataObject, workflow: str) -> None:
        known = data.draw(st.sampled_from(self.model.events))
        workflow_id = self.name(workflow)
        version = len(self.model.of(workflow_id)) + 1
        other = StepStarted(workflow_id, version, step="other", event_id=known.event_id)
        with pytest.raises(DuplicateEventError) as refused:
            self.append([other, *self.next_events(workflow_id, 1, 1)])
        assert refused.value.event_id == known.event_id

    @rule(workflow=WORKFLOWS)
    def fence(self, workflow: str) -> None:
        workflow_id = self.name(workflow)
        epoch = self.model.epochs[workflow_id] = self.model.epochs.get(workflow_id, 0) + 1
        assert self.run(self.store.fence(workflow_id)) == epoch

    @rule(workflow=WORKFLOWS, away=st.sampled_from([-1, 1, 100]))
    def append_in_an_epoch_that_is_not_now(self, workflow: str, away: int) -> None:
        workflow_id = self.name(workflow)
        actual = self.model.epochs.get(workflow_id, 0)
        if actual + away < 1:
            return
        with pytest.raises(FencedError) as refused:
            self.append(self.next_events(workflow_id, 1), epoch=actual + away)
        assert refused.value.actual == actual

    @rule(workflow=WORKFLOWS, after=st.integers(0, 12), until=st.none() | st.integers(0, 12))
    def read_a_workflow(self, workflow: str, after: int, until: int | None) -> None:
        workflow_id = self.name(workflow)
        read = self.run(self.store.get_events(workflow_id, after=after, until=until))
        last = 10**9 if until is None else until
        assert read == [e for e in self.model.of(workflow_id) if after < e.version <= last]
        assert WorkflowProjection.of(self.model.of(workflow_id)).version == len(
            self.model.of(workflow_id)
        )

    @rule(after=st.integers(0, 30), limit=st.integers(1, 30))
    def read_on(self, after: int, limit: int) -> None:
        read = self.run(self.store.read_from(self.base + after, limit))
        assert read == self.model.events[after : after + limit]

    @precondition(lambda self: self.model.events)
    @rule(data=st.data(), shift=st.sampled_from([-1, 0, 1]))
    def ask_for_an_instant(self, data: st.DataObject, shift: int) -> None:
        event = data.draw(st.sampled_from(self.model.events))
        assert event.recorded_at is not None
        at = event.recorded_at + shift * MICROSECOND
        later = [e for e in self.model.events if _recorded(e) > at]
        assert self.run(self.store.get_events_since(at)) == later
        assert self.run(self.store.get_events_since(at, limit=2)) == later[:2]
        assert self.run(self.store.position_at(at)) == (
            self.base + len(self.model.events) - len(later)
        )
        until = self.run(self.store.get_events(event.workflow_id, until=at))
        assert until == [e for e in self.model.of(event.workflow_id) if _recorded(e) <= at]

    @invariant()
    def nothing_is_half_written(self) -> None:
        assert self.run(self.store.last_position()) == self.base + len(self.model.events)


def _recorded(event: WorkflowEvent) -> datetime:
    assert event.recorded_at is not None
    return event.recorded_at


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def open_store(request: pytest.FixtureRequest) -> Iterator[OpenStore]:
    """Opens the store in the loop that is to use it."""

    @asynccontextmanager
    async def memory() -> AsyncIterator[EventStore]:
        yield MemoryEventStore()

    @asynccontextmanager
    async def postgres() -> AsyncIterator[EventStore]:
        async with Postgres.connect(dsn) as handle:
            yield PostgresEventStore(handle)

    if request.param == "memory":
        yield memory
    else:
        dsn: str = request.getfixturevalue("runtime_dsn")
        yield postgres


def test_a_store_answers_as_the_model_whatever_is_done_to_it(open_store: OpenStore) -> None:
    machine = type("Machine", (StoreMachine,), {"open_store": staticmethod(open_store)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

"""What an event store promises: EventStore with append, get_events, get_events_since."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.workflow import (
    ConcurrencyError,
    DuplicateEventError,
    EventStore,
    FencedError,
    StepCompleted,
    StepStarted,
    WorkflowCreated,
    WorkflowEvent,
    WorkflowPaused,
    WorkflowProjection,
    event_kind,
    uuid7,
)

_NAIVE = datetime(2026, 1, 31)  # noqa: DTZ001


def _steps(workflow_id: str, first: int, n: int) -> list[WorkflowEvent]:
    return [StepStarted(workflow_id, first + i, step=f"s{first + i}") for i in range(n)]


async def test_an_event_is_returned_as_recorded_and_read_back_equal(store: EventStore) -> None:
    event = WorkflowCreated(
        "burn-7",
        owner="ann",
        actor="flight",
        correlation_id=uuid7(),
        causation_id=uuid7(),
        occurred_at=datetime(2026, 1, 31, 12, 0, 0, 123456, UTC),
        input={"dv": 1.5, "axes": ["x", None, True, -(2**63)], "ü": "\x00"},
    )
    stored = await store.append(event)
    assert stored == event
    assert stored.position == 1
    assert stored.recorded_at is not None
    [read] = await store.get_events("burn-7")
    assert (read, read.position, read.recorded_at) == (event, 1, stored.recorded_at)


async def test_events_of_a_workflow_are_read_by_version_from_and_to(store: EventStore) -> None:
    await store.append_many([WorkflowCreated("w"), *_steps("w", 2, 4)])
    await store.append(WorkflowCreated("other"))
    assert [e.version for e in await store.get_events("w")] == [1, 2, 3, 4, 5]
    assert [e.version for e in await store.get_events("w", after=2)] == [3, 4, 5]
    assert [e.version for e in await store.get_events("w", after=1, until=3)] == [2, 3]
    assert await store.get_events("w", after=9) == []
    assert await store.get_events("w", until=0) == []
    assert await store.get_events("nobody") == []


async def test_events_until_an_instant_are_those_recorded_up_to_it(store: EventStore) -> None:
    events = await store.append_many([WorkflowCreated("w"), *_steps("w", 2, 2)])
    second = events[1].recorded_at
    assert second is not None
    assert [e.version for e in await store.get_events("w", until=second)] == [1, 2]
    before = second - timedelta(microseconds=1)
    assert [e.version for e in await store.get_events("w", until=before)] == [1]


async def test_a_replay_gives_the_state_that_the_events_say_up_to_a_version_or_an_instant(
    store: EventStore,
) -> None:
    ends = [StepCompleted("w", 6, step="s2", result={"dv": 1.5}), WorkflowPaused("w", 7)]
    stored = await store.append_many([WorkflowCreated("w"), *_steps("w", 2, 4), *ends])
    said = WorkflowProjection.of(stored)

    assert (await store.replay("w", WorkflowProjection())).state == said
    for until in (3, stored[2].recorded_at):
        projection = await store.replay("w", WorkflowProjection(), until=until)
        assert projection.state == WorkflowProjection.of(stored[:3])
        assert await store.replay("w", projection) is projection  # goes on from there
        assert projection.state == said
    assert (await store.replay("nobody", WorkflowProjection())).version == 0
    with pytest.raises(InvalidInputError, match="offset"):
        await store.replay("w", WorkflowProjection(), until=_NAIVE)


async def test_events_since_an_instant_are_strictly_later_in_global_order(
    store: EventStore,
) -> None:
    first = await store.append(WorkflowCreated("a"))
    await store.append(WorkflowCreated("b"))
    await store.append_many(_steps("a", 2, 2))
    assert first.recorded_at is not None
    since = await store.get_events_since(first.recorded_at)
    assert [(e.workflow_id, e.version) for e in since] == [("b", 1), ("a", 2), ("a", 3)]
    assert len(await store.get_events_since(first.recorded_at, limit=2)) == 2
    assert len(await store.get_events_since(datetime(2000, 1, 1, tzinfo=UTC))) == 4
    assert await store.get_events_since(datetime.now(UTC) + timedelta(days=1)) == []


async def test_positions_have_no_gap_and_recorded_times_grow_with_them(store: EventStore) -> None:
    await asyncio.gather(
        *(store.append_many([WorkflowCreated(f"w{i}"), *_steps(f"w{i}", 2, 3)]) for i in range(50))
    )
    with pytest.raises(ConcurrencyError):
        await store.append(WorkflowCreated("w1"))
    await store.append_many(_steps("w1", 5, 2))
    events = await store.read_from(0)
    assert [e.position for e in events] == list(range(1, 203))
    times = [e.recorded_at for e in events]
    assert all(a < b for a, b in pairwise(times) if a and b)
    assert await store.last_position() == 202


async def test_who_reads_on_from_a_position_misses_nothing(store: EventStore) -> None:
    await store.append_many([WorkflowCreated("w"), *_steps("w", 2, 6)])
    read: list[WorkflowEvent] = []
    while page := await store.read_from(len(read), 3):
        read += page
    assert [e.version for e in read] == [1, 2, 3, 4, 5, 6, 7]


async def test_the_position_at_an_instant_is_that_of_the_last_event_recorded_by_then(
    store: EventStore,
) -> None:
    assert await store.position_at(datetime.now(UTC)) == 0
    events = await store.append_many([WorkflowCreated("w"), *_steps("w", 2, 2)])
    at = events[1].recorded_at
    assert at is not None
    assert await store.position_at(at) == 2
    assert await store.position_at(at - timedelta(microseconds=1)) == 1


async def test_a_wrong_version_is_refused_with_the_actual_one(store: EventStore) -> None:
    await store.append_many([WorkflowCreated("w"), *_steps("w", 2, 2)])
    for event in (StepStarted("w", 3, step="x"), StepStarted("w", 9, step="x")):
        with pytest.raises(ConcurrencyError) as refused:
            await store.append(event)
        assert (refused.value.expected, refused.value.actual) == (event.version - 1, 3)
    with pytest.raises(ConcurrencyError) as refused:
        await store.append(StepStarted("nobody", 2, step="x"))
    assert refused.value.actual == 0
    assert await store.last_position() == 3


async def test_of_many_who_append_one_version_one_succeeds(store: EventStore) -> None:
    await store.append(WorkflowCreated("w"))
    outcomes = await asyncio.gather(
        *(store.append(StepStarted("w", 2, step=f"s{i}")) for i in range(20)),
        return_exceptions=True,
    )
    assert sum(isinstance(o, WorkflowEvent) for o in outcomes) == 1
    assert sum(isinstance(o, ConcurrencyError) for o in outcomes) == 19
    assert len(await store.get_events("w")) == 2


async def test_many_events_are_stored_together_or_not_at_all(store: EventStore) -> None:
    await store.append_many([WorkflowCreated("w"), *_steps("w", 2, 2)])
    with pytest.raises(ConcurrencyError):
        await store.append_many(_steps("w", 3, 5))
    assert await store.last_position() == 3


async def test_the_same_append_again_is_no_second_event(store: EventStore) -> None:
    events = [WorkflowCreated("w"), *_steps("w", 2, 2)]
    first = await store.append_many(events)
    again = await store.append_many(events)
    assert again == first
    assert [e.position for e in again] == [1, 2, 3]
    assert await store.append(events[1]) == events[1]
    assert (await store.append(StepStarted("w", 4, step="x"))).position == 4
    assert await store.last_position() == 4


async def test_an_event_handed_over_many_times_at_once_is_stored_once(store: EventStore) -> None:
    event = WorkflowCreated("w")
    stored = await asyncio.gather(*(store.append(event) for _ in range(10)))
    assert {e.position for e in stored} == {1}


async def test_an_id_that_another_event_bears_is_refused(store: EventStore) -> None:
    event = await store.append(WorkflowCreated("w"))
    for other in (
        WorkflowCreated(
            "w", event_id=event.event_id, owner="another", occurred_at=event.occurred_at
        ),
        WorkflowCreated("v", event_id=event.event_id, occurred_at=event.occurred_at),
        StepStarted("w", 2, event_id=event.event_id, step="x"),
    ):
        with pytest.raises(DuplicateEventError) as refused:
            await store.append(other)
        assert refused.value.event_id == event.event_id
    assert await store.last_position() == 1


async def test_two_events_with_one_id_at_once_are_one_event_and_an_error(store: EventStore) -> None:
    one = uuid7()
    outcomes = await asyncio.gather(
        *(store.append(WorkflowCreated(f"w{i}", event_id=one)) for i in range(3)),
        return_exceptions=True,
    )
    assert sum(isinstance(o, WorkflowEvent) for o in outcomes) == 1, outcomes
    assert sum(isinstance(o, DuplicateEventError) for o in outcomes) == 2


async def test_who_was_taken_over_appends_no_more(store: EventStore) -> None:
    await store.append(WorkflowCreated("w"))
    first = await store.fence("w")
    await store.append(StepStarted("w", 2, step="a"), epoch=first)
    second = await store.fence("w")
    assert (first, second) == (1, 2)
    with pytest.raises(FencedError) as refused:
        await store.append(StepStarted("w", 3, step="b"), epoch=first)
    assert (refused.value.epoch, refused.value.actual) == (1, 2)
    await store.append(StepStarted("w", 3, step="b"), epoch=second)
    await store.append(StepStarted("w", 4, step="c"))
    assert await store.fence("another") == 1


async def test_a_subscription_reads_what_is_stored_and_then_follows(store: EventStore) -> None:
    await store.append_many([WorkflowCreated("w"), *_steps("w", 2, 2)])
    seen: list[int | None] = []

    async def follow() -> None:
        async for event in store.subscribe(1):
            seen.append(event.position)
            if len(seen) == 6:
                return

    following = asyncio.create_task(follow())
    for version in range(4, 8):
        await store.append(StepStarted("w", version, step="x"))
        await asyncio.sleep(0)
    await asyncio.wait_for(following, 30)
    assert seen == [2, 3, 4, 5, 6, 7]


@event_kind("test.unknown-to-stores")
class _Unknown(StepCompleted):
    pass


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([], InvalidInputError),
        (["event"], InvalidInputError),
        ([WorkflowCreated("w"), WorkflowCreated("v")], InvalidInputError),
        ([WorkflowCreated("w"), StepStarted("w", 3, step="x")], InvalidInputError),
        ([_Unknown("w", 1, step="x")], InvalidInputError),
        ([WorkflowCreated("w", input="x" * (10 << 20))], LimitExceededError),
        (_steps("w", 1, 10_001), LimitExceededError),
    ],
)
async def test_an_append_that_no_store_takes_is_refused_whole(
    store: EventStore, events: list[Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await store.append_many(events)
    assert await store.last_position() == 0


def _closed_loop() -> list[Any]:
    loop: list[Any] = []
    loop.append({"again": loop})
    return loop


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("workflow_id", {"workflow_id": ""}),
        ("workflow_id", {"workflow_id": "x" * 201}),
        ("workflow_id", {"workflow_id": "a\x00b"}),
        ("workflow_id", {"workflow_id": "\ud800"}),
        ("workflow_id", {"workflow_id": b"w"}),
        ("version", {"version": True}),
        ("version", {"version": 0}),
        ("version", {"version": 2**63}),
        ("version", {"version": 1.0}),
        ("event_id", {"event_id": "0190-not-a-uuid"}),
        ("occurred_at", {"occurred_at": _NAIVE}),
        ("occurred_at", {"occurred_at": datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)}),
        ("occurred_at", {"occurred_at": 0}),
        ("actor", {"actor": None}),
        ("correlation_id", {"correlation_id": "1"}),
        ("attempt", {"attempt": True}),
        ("attempt", {"attempt": 10**30}),
        ("step", {"step": 7}),
        ("input", {"input": float("nan")}),
        ("input", {"input": 2**64}),
        ("input.key", {"input": {"key": {1, 2}}}),
        ("input key", {"input": {1: 2}}),
        ("input", {"input": "\udfff"}),
        ("input", {"input": b"bytes"}),
        ("input[0].again", {"input": _closed_loop()}),
    ],
)
def test_an_event_that_could_not_be_read_back_cannot_be_made(
    field: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        StepStarted(**{"workflow_id": "w", "version": 1, "step": "s"} | arguments)
    assert refused.value.field.startswith(field)


async def test_one_id_twice_in_an_append_is_refused(store: EventStore) -> None:
    event = WorkflowCreated("w")
    with pytest.raises(InvalidInputError, match="each event once"):
        await store.append_many([event, replace(event, version=2)])


async def test_bad_arguments_are_named(store: EventStore) -> None:
    event = WorkflowCreated("w")
    for arguments in (
        {"expected_version": -1},
        {"expected_version": True},
        {"epoch": 0},
        {"epoch": "1"},
        {"expected_version": 4},
    ):
        with pytest.raises(InvalidInputError):
            await store.append(event, **arguments)  # type: ignore[arg-type]
    for reading in (
        store.get_events_since(_NAIVE),
        store.get_events("w", until=_NAIVE),
        store.position_at(_NAIVE),
        store.get_events("w", after=-1),
        store.read_from(-1),
        store.read_from(0, 0),
        store.get_events_since(datetime.now(UTC), limit=0),
    ):
        with pytest.raises(InvalidInputError):
            await reading
    with pytest.raises(LimitExceededError):
        await store.read_from(0, 10_001)
    with pytest.raises(InvalidInputError):
        store.subscribe(-1)
    assert await store.last_position() == 0

"""An answer computes each of its parts once, and lets its samples go when it goes itself."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given, strategies as st

from aetherops.archive.memory import MemoryTelemetryStore
from aetherops.archive.reductions import Downsample
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.store import AcceptedBatch, Look, SummarisedRange
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import LimitExceededError, NotFoundError, UnavailableError
from aetherops.services.telemetry import (
    QueryBudget,
    SampleRoom,
    TelemetryAnswer,
    TelemetryQueries,
    TelemetryQuestion,
    TimeWindow,
)

NAME = StreamName("orbit", "sat-7", "altitude_km")
ALL = TimeWindow(0, 10**12)
# More than come along with the first look at a range.
MANY = 200_000


class Free:
    """A meter that takes everything and remembers it."""

    def __init__(self) -> None:
        self.costs: list[int] = []

    async def charge(self, cost: int) -> None:
        self.costs.append(cost)


class WatchedStore(MemoryTelemetryStore):
    """Remembers what was asked of it, and watches the arrays that it gave away."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.given: list[weakref.ref[np.ndarray]] = []
        self.failure: Exception | None = None

    async def look(self, name: StreamName, start_us: int, end_us: int, at_most: int) -> Look:
        self.calls.append("look")
        look = await super().look(name, start_us, end_us, at_most)
        return look if look.samples is None else replace(look, samples=self._give(look.samples))

    async def read(self, name: StreamName, start_us: int, end_us: int) -> Samples:
        self.calls.append("read")
        await asyncio.sleep(0)  # others get their turn, as with a store far away
        if self.failure is not None:
            raise self.failure
        return self._give(await super().read(name, start_us, end_us))

    def _give(self, samples: Samples) -> Samples:
        samples = Samples(samples.times_us.copy(), samples.values.copy())
        self.given += [weakref.ref(samples.times_us), weakref.ref(samples.values)]
        return samples

    async def summaries(self, name: StreamName, start_us: int, end_us: int) -> SummarisedRange:
        self.calls.append("summaries")
        return await super().summaries(name, start_us, end_us)

    def is_all_gone(self) -> bool:
        return bool(self.given) and all(ref() is None for ref in self.given)

    async def all_gone(self) -> None:
        """A thread that is done lets go of its work a moment after it has told the outcome."""
        async with asyncio.timeout(10):
            while not self.is_all_gone():
                await asyncio.sleep(0.001)


async def store_of(values: np.ndarray) -> WatchedStore:
    store = WatchedStore()
    samples = Samples.of(np.arange(len(values)), values)
    batch = SampleBatch(uuid4(), (Series(Stream(NAME), samples),))
    await store.write([AcceptedBatch(batch, 1)])
    return store


async def ask(
    store: MemoryTelemetryStore,
    window: TimeWindow = ALL,
    *,
    downsample: Downsample | None = None,
    extremes_only: bool = False,
    budget: QueryBudget | None = None,
) -> TelemetryAnswer:
    question = TelemetryQuestion(NAME, window, downsample, extremes_only)
    return await TelemetryQueries(store).ask(question, budget or QueryBudget(10**9, 10**9, Free()))


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def test_samples_are_read_once_however_many_parts_ask() -> None:
    store = await store_of(np.arange(float(MANY)))
    answer = await ask(store)

    await asyncio.gather(
        answer.points(), answer.statistics(), answer.percentiles([50]), answer.anomalies(3, 10)
    )

    assert store.calls == ["look", "read"]
    assert await answer.points() is await answer.points()


async def test_an_unknown_stream_has_no_answer() -> None:
    with pytest.raises(NotFoundError):
        await ask(MemoryTelemetryStore())


async def test_the_samples_go_with_the_answer_and_need_no_garbage_collector() -> None:
    store = await store_of(np.arange(60_000.0))  # enough for threads
    with without_collector():
        answer = await ask(store, TimeWindow(0, 60_000), downsample=Downsample(1_000, "median"))
        await asyncio.gather(
            answer.points(), answer.statistics(), answer.percentiles([50]), answer.anomalies(3, 10)
        )
        assert not store.is_all_gone()
        del answer
        await store.all_gone()


async def test_the_samples_go_with_the_answer_also_where_a_part_of_it_failed() -> None:
    store = await store_of(np.arange(1_000.0))
    with without_collector():
        answer = await ask(store, budget=QueryBudget(10**9, 10, Free()))
        for _ in range(2):
            with pytest.raises(LimitExceededError, match="points in one answer"):
                await answer.points()
        assert not store.is_all_gone()
        del answer
        await store.all_gone()


async def test_all_who_wait_for_a_read_that_fails_get_its_failure_and_later_it_is_tried_again() -> (
    None
):
    store = await store_of(np.arange(float(MANY)))
    store.failure = UnavailableError("postgres")
    answer = await ask(store)

    outcomes = await asyncio.gather(answer.points(), answer.statistics(), return_exceptions=True)
    assert outcomes == [store.failure, store.failure]
    assert store.calls == ["look", "read"]

    store.failure = None
    assert (await answer.statistics()).count == MANY


async def test_a_range_is_paid_for_before_it_is_read() -> None:
    store = await store_of(np.arange(float(MANY)))
    meter = Free()
    answer = await ask(store, budget=QueryBudget(10**9, 10**9, meter))
    assert meter.costs == []
    await answer.samples()
    assert meter.costs == [20]

    answer = await ask(store, budget=QueryBudget(MANY - 1, 10**9, meter))
    with pytest.raises(LimitExceededError, match="shorter range"):
        await answer.samples()
    assert store.calls == ["look", "read", "look"]


async def test_extremes_alone_are_answered_from_summaries_and_paid_for_the_same() -> None:
    store = await store_of(np.arange(50_000.0))
    meter = Free()
    answer = await ask(
        store, TimeWindow(10, 40_000), extremes_only=True, budget=QueryBudget(10**9, 1, meter)
    )

    extremes = await answer.extremes()

    assert (extremes.count, await answer.count()) == (39_990, 39_990)
    assert (extremes.minimum, extremes.maximum) == (extremes.first, extremes.last) == (10, 39_999)
    assert store.calls == ["look", "summaries"]
    assert meter.costs == [3]


# Zeros of both signs, and so few values that many are equal.
values = st.sampled_from([0.0, -0.0, 1.5, -1.5, 5e-324, 1e300])


@given(st.lists(values, min_size=1, max_size=40), st.data())
def test_extremes_from_summaries_have_the_bits_of_those_from_samples(
    some: list[float], data: st.DataObject
) -> None:
    n = 20_000
    start, end = sorted(data.draw(st.tuples(st.integers(-5, n + 5), st.integers(-5, n + 5))))
    window = TimeWindow(start, end)

    async def both() -> tuple[list[object], list[object]]:
        store = await store_of(np.resize(some, n))
        told = await (await ask(store, window, extremes_only=True)).extremes()
        read = await (await ask(store, window)).statistics()
        names = ("count", "minimum", "maximum", "first", "last")
        return tuple([repr(getattr(one, name)) for name in names] for one in (told, read))

    told, read = asyncio.run(both())
    assert told == read


async def test_an_answer_gives_back_its_room_when_it_is_released_or_was_never_found() -> None:
    store, room = await store_of(np.arange(float(MANY))), SampleRoom(10**6)
    queries, budget = TelemetryQueries(store, room), QueryBudget(10**9, 10**9, Free())
    taken = []
    for window in (TimeWindow(0, 1_000), TimeWindow(0, MANY)):
        answer = await queries.ask(TelemetryQuestion(NAME, window), budget)
        await answer.statistics()
        taken.append(room.taken)
        answer.release()
    unknown = StreamName("orbit", "sat-8", "altitude_km")
    with pytest.raises(NotFoundError):
        await queries.ask(TelemetryQuestion(unknown, ALL), budget)
    assert (taken, room.taken) == ([1_000, MANY], 0)


async def test_many_questions_at_once_hold_no_more_samples_than_there_is_room_for() -> None:
    store, room = await store_of(np.arange(float(MANY))), SampleRoom(2 * MANY)
    queries, budget = TelemetryQueries(store, room), QueryBudget(10**9, 10**9, Free())
    most = 0

    async def one() -> None:
        nonlocal most
        answer = await queries.ask(TelemetryQuestion(NAME, ALL), budget)
        assert (await answer.statistics()).count == MANY
        most = max(most, sum(ref() is not None for ref in store.given))
        answer.release()

    await asyncio.gather(*(one() for _ in range(10)))
    # Two columns of each question; one more may be on its way out.
    assert most <= 2 * 3
    assert room.taken == 0


async def test_room_comes_back_also_from_reads_that_failed_or_came_too_late() -> None:
    store, room = await store_of(np.arange(float(MANY))), SampleRoom(MANY)
    queries, budget = TelemetryQueries(store, room), QueryBudget(10**9, 10**9, Free())
    answer = await queries.ask(TelemetryQuestion(NAME, ALL), budget)
    store.failure = UnavailableError("postgres")
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await answer.samples()
    store.failure = None

    other = await room.take(MANY - room.taken)
    late = asyncio.create_task(answer.samples())
    await asyncio.sleep(0)
    answer.release()
    other.release()

    assert len(await late) == MANY
    assert room.taken == 0

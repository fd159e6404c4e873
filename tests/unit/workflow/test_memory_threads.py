"""The store in memory from several threads and event loops, and listeners that come and go."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from aetherops.events import Listeners
from aetherops.workflow import ConcurrencyError, MemoryEventStore, StepStarted, WorkflowCreated

THREADS = 8


@pytest.fixture(autouse=True)
def _threads_take_turns_as_often_as_they_can() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_writers_in_many_threads_leave_no_gap_and_one_wins_each_version() -> None:
    store = MemoryEventStore()

    async def write(number: int) -> int:
        won = 0
        for version in range(1, 41):
            await store.append(WorkflowCreated(f"own-{number}-{version}"))
            try:
                await store.append(StepStarted("shared", version, step=f"s{number}"))
                won += 1
            except ConcurrencyError:
                pass
            page = await store.read_from(0, 10_000)
            assert [e.position for e in page] == list(range(1, len(page) + 1))
        return won

    with ThreadPoolExecutor(THREADS) as pool:
        won = list(pool.map(lambda number: asyncio.run(write(number)), range(THREADS)))
    shared = asyncio.run(store.get_events("shared"))
    assert [e.version for e in shared] == list(range(1, sum(won) + 1))
    assert asyncio.run(store.last_position()) == THREADS * 40 + sum(won)


def test_subscriptions_of_several_loops_see_every_event() -> None:
    store = MemoryEventStore()

    async def follow() -> list[int | None]:
        seen = []
        async for event in store.subscribe():
            seen.append(event.position)
            if len(seen) == 100:
                break
        return seen

    async def write() -> None:
        for number in range(100):
            await store.append(WorkflowCreated(f"w{number}"))
            await asyncio.sleep(0)

    with ThreadPoolExecutor(4) as pool:
        following = [pool.submit(asyncio.run, follow()) for _ in range(3)]
        pool.submit(asyncio.run, write()).result()
        assert [f.result() for f in following] == [list(range(1, 101))] * 3


def test_listeners_that_come_and_go_in_many_threads_lose_none() -> None:
    listeners: Listeners[int] = Listeners()

    def come_and_go(number: int) -> None:
        for i in range(300):
            listeners.add((number, i).__contains__)
            passing = (number, -i).__contains__
            listeners.add(passing)
            listeners.remove(passing)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(come_and_go, range(THREADS)))
    assert len(list(listeners)) == THREADS * 300

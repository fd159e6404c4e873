"""Room for samples: never more than there is, in order of coming, and nothing is lost."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import UnavailableError
from aetherops.services.telemetry import SampleRoom


async def taken_soon(room: SampleRoom, samples: int) -> asyncio.Task:
    task = asyncio.create_task(room.take(samples))
    await asyncio.sleep(0)
    return task


async def test_who_comes_when_it_is_full_waits_until_there_is_enough() -> None:
    room = SampleRoom(10)
    first, second = await room.take(6), await room.take(4)
    waiting = await taken_soon(room, 5)
    second.release()
    await asyncio.sleep(0)
    assert not waiting.done()
    first.shrink(5)
    (await waiting).release()
    assert room.taken == 5


async def test_nobody_overtakes_a_large_question_for_ever() -> None:
    room = SampleRoom(10)
    lease = await room.take(6)
    large, small = await taken_soon(room, 8), await taken_soon(room, 1)
    assert not small.done()
    lease.release()
    await asyncio.gather(large, small)
    assert room.taken == 9


async def test_more_than_there_is_room_for_is_let_in_alone() -> None:
    room = SampleRoom(10)
    lease = await room.take(1)
    huge, next_one = await taken_soon(room, 1_000), await taken_soon(room, 1)
    lease.release()
    held = await huge
    assert (room.taken, next_one.done()) == (10, False)
    held.release()
    await next_one


async def test_patience_ends_and_leaves_the_room_as_it_was() -> None:
    room = SampleRoom(10, patience_s=0.01)
    lease = await room.take(10)
    with pytest.raises(UnavailableError, match="memory for samples"):
        await room.take(1)
    lease.release()
    lease.release()
    assert room.taken == 0


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 3), st.booleans()), max_size=30))
def test_whatever_comes_and_gives_up_all_room_comes_back(visits: list) -> None:
    async def visit(room: SampleRoom, samples: int, turns: int) -> None:
        lease = await room.take(samples)
        assert room.taken <= 10
        try:
            for _ in range(turns):
                await asyncio.sleep(0)
        finally:
            lease.release()

    async def all_visits() -> int:
        room = SampleRoom(10)
        tasks = []
        for samples, turns, gives_up in visits:
            tasks.append(asyncio.create_task(visit(room, samples, turns)))
            await asyncio.sleep(0)
            if gives_up:
                tasks[len(tasks) // 2].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in outcomes if one)
        return room.taken

    assert asyncio.run(all_visits()) == 0

"""What every part has in common: it is asked to stop, and its pauses heed that."""

from __future__ import annotations

import asyncio

import pytest

from aetherops.runtime.part import Part, wait_for_event


class Counter(Part):
    """Counts until stopped."""

    def __init__(self, period_s: float) -> None:
        super().__init__()
        self.rounds = 0
        self._period_s = period_s

    async def run(self) -> None:
        while not self.stopping:
            self.rounds += 1
            await self.pause(self._period_s)


async def test_a_part_works_until_it_is_stopped() -> None:
    part = Counter(0.0)
    task = asyncio.create_task(part.run())
    async with asyncio.timeout(10):
        while part.rounds < 3:
            await asyncio.sleep(0)
        assert not part.stopping
        part.stop()
        await task
    assert part.stopping


async def test_a_stop_ends_a_pause_at_once() -> None:
    part = Counter(3_600)
    task = asyncio.create_task(part.run())
    await asyncio.sleep(0)
    part.stop()
    async with asyncio.timeout(10):
        await task
    assert part.rounds == 1


async def test_a_part_that_was_stopped_first_does_nothing() -> None:
    part = Counter(3_600)
    part.stop()
    await part.run()
    assert part.rounds == 0


async def test_a_wait_for_an_event_ends_by_itself() -> None:
    event = asyncio.Event()
    await wait_for_event(event, 0.001)
    assert not event.is_set()


def test_a_part_has_to_say_how_it_runs() -> None:
    with pytest.raises(TypeError, match="run"):
        Part()  # type: ignore[abstract]

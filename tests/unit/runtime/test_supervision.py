import asyncio
import os
import signal

import pytest

from aetherops.runtime.part import Part
from aetherops.runtime.supervision import (
    PartEndedError,
    StopRequest,
    stop_on_signals,
    supervise,
)


class Worker(Part):
    """Runs until stopped, then takes as long as it is told to; writes down what happens."""

    def __init__(self, name: str, events: list[str], finish_s: float = 0.0) -> None:
        super().__init__()
        self._name, self._events, self._finish_s = name, events, finish_s

    async def run(self) -> None:
        self._events.append(f"{self._name} runs")
        try:
            await self.pause(3_600)
            await asyncio.sleep(self._finish_s)
        except asyncio.CancelledError:
            self._events.append(f"{self._name} cut off")
            raise
        self._events.append(f"{self._name} done")

    def stop(self) -> None:
        self._events.append(f"{self._name} stops")
        super().stop()


class Failing(Worker):
    def __init__(self, name: str, events: list[str], error: Exception | None) -> None:
        super().__init__(name, events)
        self._error = error

    async def run(self) -> None:
        await asyncio.sleep(0)
        if self._error is not None:
            raise self._error


async def ask_soon(request: StopRequest, times: int = 1) -> None:
    for _ in range(times):
        await asyncio.sleep(0)
        request.make()


async def test_parts_stop_one_after_the_other_the_last_one_first() -> None:
    events: list[str] = []
    request = StopRequest()
    parts = {name: Worker(name, events) for name in ("store", "http")}

    await asyncio.gather(supervise(parts, request, 5.0), ask_soon(request))

    assert events == [
        *("store runs", "http runs"),
        *("http stops", "http done", "store stops", "store done"),
    ]


async def test_a_part_that_does_not_end_in_time_is_cut_off() -> None:
    events: list[str] = []
    request = StopRequest()
    parts = {"quick": Worker("quick", events), "slow": Worker("slow", events, finish_s=3600)}

    await asyncio.gather(supervise(parts, request, 0.01), ask_soon(request))

    assert "slow cut off" in events
    assert "quick stops" in events


async def test_a_second_request_cuts_the_drain_short() -> None:
    events: list[str] = []
    request = StopRequest()
    parts = {"slow": Worker("slow", events, finish_s=3600)}

    async with asyncio.timeout(10):
        await asyncio.gather(supervise(parts, request, 3600), ask_soon(request, times=2))

    assert events == ["slow runs", "slow stops", "slow cut off"]


async def test_a_failing_part_stops_the_others_and_its_error_is_raised() -> None:
    events: list[str] = []
    parts = {"good": Worker("good", events), "bad": Failing("bad", events, ZeroDivisionError())}

    with pytest.raises(ZeroDivisionError):
        await supervise(parts, StopRequest(), 5.0)

    assert events == ["good runs", "bad stops", "good stops", "good done"]


async def test_a_part_that_returns_by_itself_is_an_error() -> None:
    events: list[str] = []
    parts = {"good": Worker("good", events), "gone": Failing("gone", events, None)}

    with pytest.raises(PartEndedError, match="gone ended"):
        await supervise(parts, StopRequest(), 5.0)

    assert events[-1] == "good done"


async def test_a_cancelled_supervisor_leaves_no_task_behind() -> None:
    events: list[str] = []
    before = asyncio.all_tasks()
    supervisor = asyncio.create_task(
        supervise({"worker": Worker("worker", events)}, StopRequest(), 5.0)
    )
    await asyncio.sleep(0.01)

    supervisor.cancel()
    with pytest.raises(asyncio.CancelledError):
        await supervisor

    assert events == ["worker runs", "worker cut off"]
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_is_a_request_and_later_ones_are_not_ours(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    request = StopRequest()

    with stop_on_signals(request):
        os.kill(os.getpid(), number)
        async with asyncio.timeout(10):
            await request.made.wait()

    assert not request.repeated.is_set()
    assert signal.getsignal(number) in (before, signal.default_int_handler, signal.SIG_DFL)

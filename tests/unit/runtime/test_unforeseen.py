"""Loops outlive errors that nobody foresaw, and none of these is lost."""

from __future__ import annotations

import ast
import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

import aetherops
from aetherops.runtime.part import Part
from aetherops.runtime.supervision import StopRequest, supervise
from aetherops.runtime.unforeseen import catch_lost_errors, keep_going, unforeseen_errors

SOURCE = Path(aetherops.__file__).parent

#: Every task that the package makes, by module and function, and who hears of its end.
TASKS = {
    ("services/telemetry/once.py", "get"): "awaited by all who ask",
    ("cli/ingest/sending/upload.py", "__aenter__"): "asked before each batch, awaited at the end",
    ("cli/ingest/sending/upload.py", "_send"): "awaited one after the other",
    ("parts/ingest_worker.py", "_extended"): "kept going",
    ("parts/workflow_runner.py", "run"): "kept going",
    ("parts/workflow_runner.py", "_take"): "tells of its own errors, awaited at the end",
    ("workflow/execution/driving.py", "_perform"): "awaited by who drives the workflow",
    ("workflow/execution/driving.py", "_wait"): "waits for an event",
    ("ratelimit/redis/counters.py", "ask"): "fails those who ask, and the event loop hears",
    ("ratelimit/redis/counters.py", "_connection"): "awaited by the batch that needs it",
    (
        "ratelimit/shared/leases.py",
        "_start_refill",
    ): "fails those who wait, or the event loop hears",
    ("runtime/embedded/__init__.py", "running_servers"): "kept going",
    ("workflow/postgres/batching.py", "submit"): "fails those who wait, or is awaited at the end",
    ("runtime/embedded/watch.py", "_until_lost"): "awaited there",
    ("runtime/supervision.py", "supervise"): "a part's end is the instance's",
    ("runtime/supervision.py", "_drain"): "waits for an event",
}


@pytest.fixture
def pauses() -> list[float]:
    return []


def failing(times: int, pauses: list[float]) -> tuple[object, object]:
    """Work that fails so often and then returns, and a pause that takes no time."""
    left = iter(range(times))

    async def work() -> str:
        if next(left, None) is not None:
            raise ZeroDivisionError("unforeseen")
        return "done"

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    return work, pause


async def test_a_loop_goes_on_less_and_less_eagerly_and_tells_of_it(
    pauses: list[float],
) -> None:
    work, pause = failing(12, pauses)

    with structlog.testing.capture_logs() as logs:
        assert await keep_going("test-loop", work, pause=pause) == "done"

    assert pauses[:4] == [0.2, 0.4, 0.8, 1.6]
    assert pauses[-1] == 30.0
    assert unforeseen_errors()["test-loop"] == 12
    assert [one["event"] for one in logs] == ["loop_failed"] * 4
    assert [one.get("times") for one in logs] == [None, 2, 4, 8], "and no line between"
    assert isinstance(logs[0]["exc_info"], ZeroDivisionError)


async def test_a_loop_that_is_to_stop_does_not_begin_anew(pauses: list[float]) -> None:
    work, pause = failing(2, pauses)

    assert await keep_going("stopped-loop", work, pause=pause, stopping=lambda: True) is None

    assert len(pauses) == 1


async def test_a_cancelled_loop_ends() -> None:
    task = asyncio.create_task(keep_going("cancelled-loop", asyncio.Event().wait))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


class Stumbling(Part):
    """Fails twice, then works until stopped."""

    runs_again = True

    def __init__(self) -> None:
        super().__init__()
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        if self.runs <= 2:
            raise ZeroDivisionError
        await self.pause(3_600)


async def test_a_part_that_can_is_run_again() -> None:
    part, request = Stumbling(), StopRequest()

    async def stop_once_it_works() -> None:
        while part.runs < 3:
            await asyncio.sleep(0.01)
        request.make()

    async with asyncio.timeout(30):
        await asyncio.gather(supervise({"stumbling": part}, request, 5.0), stop_once_it_works())

    assert unforeseen_errors()["stumbling"] == 2


async def test_a_part_that_stumbles_while_it_is_to_stop_ends() -> None:
    part, request = Stumbling(), StopRequest()

    async def stop_at_once() -> None:
        while part.runs < 1:
            await asyncio.sleep(0)
        request.make()

    async with asyncio.timeout(30):
        await asyncio.gather(supervise({"stopped": part}, request, 30.0), stop_at_once())

    assert part.runs == 1


async def test_an_error_that_nobody_asks_for_is_told() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    catch_lost_errors(loop)
    try:
        with structlog.testing.capture_logs() as logs:
            task = asyncio.create_task(fail(), name="lost")
            await asyncio.sleep(0.01)
            del task
            gc.collect()
    finally:
        loop.set_exception_handler(before)

    assert [(one["event"], one["loop"]) for one in logs] == [("task_failed", "lost")]
    assert isinstance(logs[0]["exc_info"], ZeroDivisionError)
    assert unforeseen_errors()["lost"] == 1


def tasks_made() -> Iterator[tuple[str, str]]:
    """Where the package makes a task: module and function."""
    for path in sorted(SOURCE.rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(module):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Attribute) and node.attr in MAKES_TASKS:
                        yield str(path.relative_to(SOURCE)), function.name


MAKES_TASKS = {"create_task", "ensure_future", "TaskGroup"}


def test_of_every_task_somebody_hears_how_it_ends() -> None:
    assert set(tasks_made()) == set(TASKS)

"""Supervision: the long-lived parts of an instance, run together and stopped in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from aetherops.errors import AetherOpsError
from aetherops.runtime.unforeseen import keep_going

if TYPE_CHECKING:
    from aetherops.runtime.part import Part

__all__ = [
    "PartEndedError",
    "StopRequest",
    "stop_on_signals",
    "supervise",
]

_log = structlog.get_logger(__name__)


class PartEndedError(AetherOpsError):
    """A part returned though nobody had asked it to.

    Parameters
    ----------
    name : which.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)

    def __str__(self) -> str:
        return f"{self.name} ended without being asked to"


class StopRequest:
    """The wish that an instance ends: once made, parts drain; made again, they are cut off."""

    def __init__(self) -> None:
        self.made = asyncio.Event()
        self.repeated = asyncio.Event()

    def make(self) -> None:
        (self.repeated if self.made.is_set() else self.made).set()


@contextmanager
def stop_on_signals(request: StopRequest) -> Iterator[None]:
    """Turn SIGINT and SIGTERM into the request while the block lasts."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, request.make)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def supervise(
    parts: Mapping[str, Part], request: StopRequest, drain_timeout_s: float
) -> None:
    """Run the parts until a stop is requested or one of them fails, then stop them all.

    They stop one after the other, the last one first: name first what others hand their work to.
    What has not ended after ``drain_timeout_s`` in all, or when the request is repeated, is
    cancelled. Every task has ended when this returns, also when it is itself cancelled.

    A part fails by an error that nobody foresaw, unless it `runs_again` after that.

    Raises
    ------
    PartEndedError
        A part returned by itself.
    Exception
        Whatever a part raised, the first where there are several; the others are logged.
    """
    tasks = {name: asyncio.create_task(_run(name, part), name=name) for name, part in parts.items()}
    asked = asyncio.create_task(request.made.wait(), name="stop-request")
    try:
        await asyncio.wait([asked, *tasks.values()], return_when=asyncio.FIRST_COMPLETED)
        ended_early = [] if request.made.is_set() else [n for n, t in tasks.items() if t.done()]
        await _drain(parts, tasks, request, drain_timeout_s)
    finally:
        await _cancel([asked, *tasks.values()])
    _raise_failure(tasks, ended_early)


async def _run(name: str, part: Part) -> None:
    if not part.runs_again:
        await part.run()
        return
    await keep_going(name, part.run, pause=part.pause, stopping=lambda: part.stopping)


async def _drain(
    parts: Mapping[str, Part],
    tasks: Mapping[str, asyncio.Task[None]],
    request: StopRequest,
    timeout_s: float,
) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    hurry = asyncio.create_task(request.repeated.wait(), name="stop-request-repeated")
    try:
        for name in reversed([*tasks]):
            parts[name].stop()
            await asyncio.wait(
                [tasks[name], hurry],
                timeout=max(0.0, deadline - loop.time()),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not tasks[name].done():
                _log.warning("part_cut_off", part=name, drain_timeout_s=timeout_s)
    finally:
        await _cancel([hurry])


async def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _raise_failure(tasks: Mapping[str, asyncio.Task[None]], ended_early: list[str]) -> None:
    failures = {
        name: error
        for name, task in tasks.items()
        if not task.cancelled() and (error := task.exception()) is not None
    }
    for name, error in failures.items():
        _log.error("part_failed", part=name, exc_info=error)
    for error in failures.values():
        raise error
    for name in ended_early:
        raise PartEndedError(name)

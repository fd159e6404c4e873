"""Errors that nobody foresaw: logged, counted, and never the silent end of a loop."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import structlog

from aetherops.resilience import retry_backoff
from aetherops.runtime.repeats import Repeats

__all__ = ["catch_lost_errors", "keep_going", "unforeseen_errors"]

_FIRST_RETRY_MS, _LAST_RETRY_MS = 200, 30_000
# A loop that went on for longer has got over its last error: the next one waits briefly again.
_RECOVERED_AFTER_S = 60.0

#: By loop, since the process began; loops belong to a process, and so does their count.
_counts: Counter[str] = Counter()

_repeats = Repeats()

_log = structlog.get_logger(__name__)

T = TypeVar("T")


def unforeseen_errors() -> Mapping[str, int]:
    """How many errors that nobody foresaw each loop has met in this process."""
    return MappingProxyType(_counts)


async def keep_going(
    name: str,
    work: Callable[[], Awaitable[T]],
    *,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    stopping: Callable[[], bool] = lambda: False,
) -> T | None:
    """Do the work until it returns; after an error that nobody foresaw, do it again.

    The same error again and again is waited for longer and longer, up to half a minute.

    Parameters
    ----------
    name : of the loop, in the log and the count.
    work : begins anew after an error: it must find its way from whatever state that left.
    pause : waits so many seconds, or shorter once the loop is to stop.
    stopping : whether it is; then it does not begin anew, and None is returned.
    """
    failures = 0
    while True:
        begun_s = time.monotonic()
        try:
            return await work()
        except Exception as error:
            lasted_s = time.monotonic() - begun_s
            failures = 1 if lasted_s > _RECOVERED_AFTER_S else failures + 1
            retry_s = retry_backoff(failures, _FIRST_RETRY_MS, _LAST_RETRY_MS) / 1_000
            _counts[name] += 1
            if (told := _explained(name, error)) is not None:
                _log.error("loop_failed", loop=name, failures=failures, retry_s=retry_s, **told)
        await pause(retry_s)
        if stopping():
            return None


def catch_lost_errors(loop: asyncio.AbstractEventLoop) -> None:
    """Log and count what a task or callback of this event loop raises and nobody asks for."""
    loop.set_exception_handler(_tell_lost)


def _tell_lost(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    task = context.get("task") or context.get("future")
    name = task.get_name() if isinstance(task, asyncio.Task) else "event-loop"
    # Tasks that were given no name are numbered: a count of each would never end.
    name = "unnamed-task" if name.startswith("Task-") else name
    _counts[name] += 1
    if (told := _explained(name, context.get("exception"))) is not None:
        _log.error("task_failed", loop=name, message=context["message"], **told)


def _explained(loop: str, error: BaseException | None) -> dict[str, object] | None:
    """What a log line says of an error: its traceback the first time, then less and less often."""
    times = _repeats.count((loop, type(error)))
    if times == 1:
        return {"exc_info": error}
    if Repeats.is_told(times):
        return {"reason": f"{type(error).__name__}: {error}", "times": times}
    return None

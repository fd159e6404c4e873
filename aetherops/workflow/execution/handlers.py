"""Handlers: what does a step, what it is told, and what becomes of what it does."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, TypeAlias

from aetherops.errors import AetherOpsError
from aetherops.workflow.json_values import JsonValue, freeze_json

__all__ = ["Failed", "Handler", "Outcome", "StepContext", "Succeeded", "perform"]

_LONGEST_ERROR = 2_000


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a handler is told.

    Parameters
    ----------
    workflow_id, step, attempt : what it does, for the how-manieth time from 1.
    epoch : of the runner that holds the workflow: whoever takes an effect in can refuse those of
        epochs before one that it has seen.
    input : what the workflow was started with.
    results : of the steps that are completed, by name.
    """

    workflow_id: str
    step: str
    attempt: int
    epoch: int
    input: JsonValue
    results: Mapping[str, JsonValue]

    @property
    def idempotency_key(self) -> str:
        """The same in every attempt at this step, on whichever runner, and in no other step's."""
        # Lengths keep ("a/b", "c") and ("a", "b/c") apart.
        return f"{len(self.workflow_id)}:{self.workflow_id}/{self.step}"


#: Does a step: a function, which runs in a thread of its own, or a coroutine function, which runs
#: in the runner's event loop and must not block it. What it returns has to be JSON.
Handler: TypeAlias = Callable[[StepContext], Any | Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Succeeded:
    """An attempt came to its good end."""

    result: JsonValue


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt failed.

    Parameters
    ----------
    error : why, in words.
    is_final : whether another attempt would fail as well.
    """

    error: str
    is_final: bool = False


Outcome: TypeAlias = Succeeded | Failed


async def perform(handler: Handler, context: StepContext, timeout_s: float) -> Outcome:
    """Call a handler, and say what became of it; raises `CancelledError` alone, where cancelled.

    A function whose time is over goes on in its thread, and nobody listens to it any more.
    """
    timeout = asyncio.timeout(timeout_s)
    try:
        async with timeout:
            if inspect.iscoroutinefunction(handler):
                value = await handler(context)
            else:
                value = await _in_thread(handler, context)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return Failed(_told(error))
    except (Exception, SystemExit, KeyboardInterrupt, GeneratorExit) as error:
        if isinstance(error, TimeoutError) and timeout.expired():
            return Failed(f"took longer than {timeout_s:g} s")
        return Failed(_told(error))
    try:
        return Succeeded(freeze_json(value, "result"))
    except (AetherOpsError, RecursionError) as error:
        return Failed(f"returned what cannot be stored: {_told(error)}", is_final=True)


async def _in_thread(handler: Handler, context: StepContext) -> object:
    """The function's value, from a thread that no end of the process waits for."""
    done: Future[object] = Future()
    done.set_running_or_notify_cancel()
    variables = copy_context()

    def call() -> None:
        try:
            done.set_result(variables.run(handler, context))
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=call, name=f"step {context.step}", daemon=True).start()
    return await asyncio.shield(asyncio.wrap_future(done))


def _told(error: BaseException) -> str:
    """An error in words that can be stored."""
    try:
        words = str(error)
    except Exception:
        words = "(its words cannot be had)"
    text = f"{type(error).__name__}: {words}" if words else type(error).__name__
    clean = text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
    return clean[:_LONGEST_ERROR]

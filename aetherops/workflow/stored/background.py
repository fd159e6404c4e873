"""One event loop in a thread of its own, where blocking calls of this process wait for a store."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from typing import Any, TypeVar

from aetherops.workflow.errors import EventLoopError

__all__ = ["in_background", "run_in_background", "run_on", "wait_for"]

_Result = TypeVar("_Result")


class _Background:
    """The loop, once it is needed; its thread ends with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        # A forked child has neither the thread nor, of its own, what the loop listens to: it may
        # not even close it.
        self._parents: list[asyncio.AbstractEventLoop] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=self._loop.run_forever, name="aetherops-workflows", daemon=True
                ).start()
            return self._loop

    def _forget(self) -> None:
        self._lock = threading.Lock()
        if self._loop is not None:
            self._parents.append(self._loop)
        self._loop = None


_background = _Background()


def run_in_background(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine on the loop that blocking calls use, and wait for what it returns.

    A store that belongs to one event loop, as a pool of connections does, is made with this.

    Raises
    ------
    EventLoopError
        This thread runs an event loop, which may not wait.
    """
    return wait_for(coroutine, None, "run_in_background()", "await the coroutine itself")


@contextmanager
def in_background(manager: AbstractAsyncContextManager[_Result]) -> Iterator[_Result]:
    """Keep an asynchronous context open on the loop that blocking calls use, as connections are.

    Raises
    ------
    EventLoopError
        This thread runs an event loop: write ``async with`` there.
    """
    called, instead = "in_background()", "write async with"
    stack = AsyncExitStack()
    opened = wait_for(stack.enter_async_context(manager), None, called, instead)
    try:
        yield opened
    finally:
        wait_for(stack.aclose(), None, called, instead)


def wait_for(
    coroutine: Coroutine[Any, Any, _Result],
    loop: asyncio.AbstractEventLoop | None,
    called: str,
    instead: str,
) -> _Result:
    """Run a coroutine on a loop of another thread, and wait for what it returns.

    Parameters
    ----------
    coroutine : what to run.
    loop : where; the background loop of this process where it is None.
    called : what the caller called, for the error.
    instead : what the caller is to write inside a running loop.
    """
    if asyncio._get_running_loop() is not None:
        coroutine.close()
        raise EventLoopError(called, f"this thread runs an event loop, which it stops: {instead}")
    future = asyncio.run_coroutine_threadsafe(coroutine, _living(loop, coroutine, called))
    try:
        return future.result()
    except BaseException:  # a KeyboardInterrupt of this thread: nobody waits for it any more
        future.cancel()
        raise


async def run_on(
    coroutine: Coroutine[Any, Any, _Result], loop: asyncio.AbstractEventLoop | None, called: str
) -> _Result:
    """Run a coroutine on a loop, this one or that of another thread, and await what it returns."""
    if loop is asyncio.get_running_loop():
        return await coroutine
    there = _living(loop, coroutine, called)
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, there))


def _living(
    loop: asyncio.AbstractEventLoop | None, coroutine: Coroutine[Any, Any, Any], called: str
) -> asyncio.AbstractEventLoop:
    if loop is None:
        return _background.loop()
    if not loop.is_running():
        coroutine.close()
        raise EventLoopError(called, "the event loop that it was opened on has ended: open it anew")
    return loop

"""Ctrl-C while samples are on their way: first end in order, then at once."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ending_in_order"]


@contextmanager
def ending_in_order(stop: Callable[[], None]) -> Iterator[None]:
    """Within an event loop, call `stop` at the first Ctrl-C and cancel the task at the second.

    A cancelled task raises `asyncio.CancelledError`; elsewhere than in the main thread, which
    alone is told of signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    before = signal.getsignal(signal.SIGINT)
    stopped = False

    def interrupt() -> None:
        nonlocal stopped
        if stopped and task is not None:
            task.cancel()
        stopped = True
        stop()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)

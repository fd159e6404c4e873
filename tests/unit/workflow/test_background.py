"""The loop that blocking calls of a process wait on."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from aetherops.workflow import (
    EventLoopError,
    MemoryEventStore,
    WorkflowEngine,
    in_background,
    run_in_background,
)
from aetherops.workflow.stored.background import run_on


async def where() -> tuple[str, int]:
    return threading.current_thread().name, id(asyncio.get_running_loop())


def test_there_is_one_loop_in_a_daemon_thread_of_its_own() -> None:
    assert run_in_background(where()) == run_in_background(where())
    [thread] = [one for one in threading.enumerate() if one.name == "aetherops-workflows"]
    assert thread.daemon


def test_what_the_coroutine_raises_comes_out() -> None:
    async def fails() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        run_in_background(fails())


async def test_a_running_loop_is_not_made_to_wait() -> None:
    coroutine = where()
    with pytest.raises(EventLoopError, match="await the coroutine itself"):
        run_in_background(coroutine)
    assert coroutine.cr_frame is None, "it was closed: nothing warns that it never ran"


def test_a_context_is_entered_and_left_on_that_loop() -> None:
    seen: list[object] = []

    @asynccontextmanager
    async def connections() -> AsyncIterator[str]:
        seen.append(await where())
        try:
            yield "open"
        finally:
            seen.append(await where())

    with in_background(connections()) as opened:
        assert (opened, len(seen)) == ("open", 1)
    assert seen == [run_in_background(where())] * 2


async def test_from_a_loop_the_background_can_be_awaited() -> None:
    name, _ = await run_on(where(), None, "call")
    assert name == "aetherops-workflows"


def test_importing_starts_no_thread() -> None:
    code = "import aetherops.workflow, threading; print(threading.active_count())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_a_program_that_opened_a_workflow_ends_quietly() -> None:
    code = """
from aetherops.workflow import MemoryEventStore, WorkflowEngine
print(WorkflowEngine.open(MemoryEventStore(), "w").advance("validated"))"""
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("True", "", 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_has_a_loop_of_its_own() -> None:
    # In a process of its own: the tests' has threads that no child should inherit.
    code = """
import os
from aetherops.workflow import MemoryEventStore, WorkflowEngine
engine = WorkflowEngine.open(MemoryEventStore(), "w")
assert engine.advance("validated")
child = os.fork()
if child == 0:
    os._exit(0 if engine.advance("scheduled") and engine.version == 3 else 1)
_, status = os.waitpid(child, 0)
assert engine.state == "validated" and engine.advance("scheduled")
print(os.waitstatus_to_exitcode(status))"""
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("0", "")


def test_a_workflow_opened_in_one_thread_is_moved_in_another() -> None:
    engine = WorkflowEngine.open(MemoryEventStore(), "w")
    thread = threading.Thread(target=engine.advance, args=("validated",))
    thread.start()
    thread.join()
    assert engine.state == "validated"

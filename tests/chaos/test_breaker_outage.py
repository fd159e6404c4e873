"""A real server is killed and started again under load: callers fail fast and recover alone."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aetherops.resilience import (
    Breaker,
    BreakerOpenError,
    BreakerPolicy,
    State,
    TransitionEvent,
    Trigger,
)

pytestmark = pytest.mark.chaos

CALLERS = 50
PROBES = 2
# Counts what it acknowledges in a file, so that nothing acknowledged can be lost unseen.
SERVER = """
import asyncio, sys

async def serve(reader, writer):
    line = await reader.readline()
    with open(sys.argv[2], "ab") as journal:
        journal.write(line)
    writer.write(b"kept " + line)
    await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    print("ready", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@asynccontextmanager
async def running_server(port: int, journal: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The server as a process of its own, killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, str(port), str(journal), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
        yield process
    finally:
        process.kill()
        await process.wait()


class Load:
    """Callers that ask without pause, through one breaker."""

    def __init__(self, port: int) -> None:
        policy = BreakerPolicy(
            failure_threshold=5,
            reset_timeout_s=0.1,
            backoff_factor=2,
            max_reset_timeout_s=0.2,
            probe_count=PROBES,
            success_threshold=PROBES,
        )
        self.port = port
        self.breaker = Breaker("server", policy)
        self.transitions: list[TransitionEvent] = []
        self.breaker.subscribe(self.transitions.append)
        self.seen = Counter[str]()
        self.kept: list[bytes] = []
        self.attempts_while_open = 0

    async def ask(self, caller: int, turn: int) -> None:
        """One request; what is acknowledged is remembered."""
        self.attempts_while_open += self.breaker.state is State.OPEN
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(b"%d-%d\n" % (caller, turn))
                answer = await reader.readline()
                if not answer:
                    raise ConnectionResetError("the server went away")
                self.kept.append(answer.removeprefix(b"kept "))
            finally:
                writer.close()

    async def call(self, caller: int) -> None:
        """Ask again and again, whatever happens."""
        guarded = self.breaker(self.ask)
        for turn in range(10**9):
            try:
                await guarded(caller, turn)
                self.seen["answered"] += 1
            except BreakerOpenError:
                self.seen["refused"] += 1
                await asyncio.sleep(0.001)
            except (OSError, TimeoutError):
                self.seen["failed"] += 1

    async def until(self, state: State, *, answers: int = 0) -> None:
        """Wait for the breaker to stand there and for some more answers."""
        goal = self.seen["answered"] + answers
        await until(lambda: self.breaker.state is state and self.seen["answered"] >= goal)


async def test_callers_fail_fast_recover_alone_and_lose_nothing(tmp_path: Path) -> None:
    journal, port = tmp_path / "journal", free_port()
    load = Load(port)
    async with asyncio.TaskGroup() as group:
        callers = []
        async with running_server(port, journal):
            callers = [group.create_task(load.call(caller)) for caller in range(CALLERS)]
            await load.until(State.CLOSED, answers=200)
        await load.until(State.OPEN)
        failed = load.seen["failed"]
        refused = load.seen["refused"]
        await until(lambda: load.seen["refused"] >= refused + 2_000)
        probing = sum(event.target is State.HALF_OPEN for event in load.transitions)
        dialled = load.seen["failed"] - failed
        assert dialled <= CALLERS + probing * PROBES, "only probes dial, and who was already in"
        async with running_server(port, journal):
            await load.until(State.CLOSED, answers=200)
            for caller in callers:
                caller.cancel()
    assert load.attempts_while_open == 0
    assert load.transitions[-1].trigger is Trigger.PROBES_SUCCEEDED
    assert set(load.kept) <= set(journal.read_bytes().splitlines(keepends=True))


async def until(reached: Callable[[], bool]) -> None:
    """Give way until something is so."""
    async with asyncio.timeout(30):
        while not reached():
            await asyncio.sleep(0.001)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port

"""What happens to a running history: kills, and connections that end."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from workflow_history.processes import Worker

__all__ = ["Faults", "until_answering"]

_SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'aetherops' ORDER BY pid"
_TERMINATE = "SELECT pg_terminate_backend($1)"
_ANSWERS_S = 60.0


@dataclass
class Faults:
    """Chooses by chance what is killed next.

    Parameters
    ----------
    owner_dsn : of the server, as a role that may end sessions.
    pid_file : of the server.
    """

    random: random.Random
    writers: Sequence[Worker]
    readers: Sequence[Worker]
    owner_dsn: str
    pid_file: Path
    done: Counter[str] = field(default_factory=Counter)

    @property
    def kills(self) -> int:
        """How many processes got a SIGKILL."""
        return sum(n for what, n in self.done.items() if what != "session terminated")

    def next(self) -> str:
        """What happens next."""
        return self.random.choices(
            ["writer", "reader", "postgres", "backend", "session terminated"], [3, 3, 2, 1, 3]
        )[0]

    async def do(self, what: str) -> None:
        """Let it happen; returns when all is running again."""
        if what == "postgres":
            os.kill(int(self.pid_file.read_text()), signal.SIGKILL)
            await asyncio.sleep(0.05)  # for its sessions to notice, and its watcher
        elif what == "backend":
            # Its server ends all other sessions too, and recovers.
            await self._on_a_session(lambda pid: os.kill(pid, signal.SIGKILL))
        elif what == "session terminated":
            await self._on_a_session(None)
        else:
            worker = self.random.choice(self.writers if what == "writer" else self.readers)
            await worker.kill()
            await worker.start()
        await until_answering(self.owner_dsn)
        self.done[what] += 1

    async def _on_a_session(self, kill: object) -> None:
        connection = await asyncpg.connect(self.owner_dsn)
        try:
            pids = [record["pid"] for record in await connection.fetch(_SESSIONS)]
            if not pids:
                return
            pid = self.random.choice(pids)
            if callable(kill):
                kill(pid)
            else:
                await connection.execute(_TERMINATE.replace("$1", str(pid)))
        finally:
            connection.terminate()


async def until_answering(dsn: str) -> None:
    """Return once the server answers a question."""
    async with asyncio.timeout(_ANSWERS_S):
        while True:
            try:
                connection = await asyncpg.connect(dsn)
                try:
                    await connection.fetchval("SELECT count(*) FROM pg_class")
                    return
                finally:
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.02)

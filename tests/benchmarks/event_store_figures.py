"""The event store beside `eventsourcing` 9: ``python tests/benchmarks/event_store_figures.py``.

Wants ``eventsourcing`` and ``psycopg[binary,pool]`` installed. Both work on one PostgreSQL, each in
a database of its own, and take turns: a figure is the median of rounds, a ratio that of the ratios
of each round.

A writer awaits each of its appends before the next, on a workflow of its own; writers are tasks of
one event loop here and threads there, as each is meant to be used.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit
from uuid import uuid4

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from aetherops.connections.postgres import Postgres
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.migrate import migrate
from aetherops.runtime.settings import Settings
from aetherops.workflow import (
    StepCompleted,
    StepStarted,
    WorkflowCreated,
    WorkflowEvent,
    WorkflowProjection,
)
from aetherops.workflow.postgres import PostgresEventStore

WRITERS = (1, 8, 64)
ROUNDS, SECONDS = 5, 1.5
STREAM = 10_000
ON_DISK = """
SELECT sum(pg_relation_size(c.oid)) / max(n.events)
FROM pg_class AS c CROSS JOIN (SELECT count(*) AS events FROM {table}) AS n
WHERE c.oid = '{table}'::regclass
   OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = '{table}'::regclass)
"""


class Mission(Aggregate):
    """The same work as their aggregate: steps that start and complete."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.steps: dict[str, tuple[str, object]] = {}

    @event("StepStarted")
    def start(self, step: str, attempt: int) -> None:
        self.steps[step] = ("running", attempt)

    @event("StepCompleted")
    def complete(self, step: str, attempt: int, result: dict[str, float]) -> None:
        self.steps[step] = ("completed", result)


class Peer:
    """`eventsourcing` on PostgreSQL, as its documentation sets it up."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        [host], [port] = (parse_qs(parts.query)[name] for name in ("host", "port"))
        self.app: Application[Any] = Application(
            {
                "PERSISTENCE_MODULE": "eventsourcing.postgres",
                "POSTGRES_DBNAME": parts.path[1:],
                "POSTGRES_HOST": host,
                "POSTGRES_PORT": port,
                "POSTGRES_USER": parts.username or "",
                "POSTGRES_PASSWORD": parts.password or "",
                "POSTGRES_POOL_SIZE": "40",  # of the 64 that the server gives
                "POSTGRES_CONNECT_TIMEOUT": "30",
            }
        )

    async def appends_per_s(self, writers: int) -> float:
        return await asyncio.to_thread(self._appends_per_s, writers)

    def _appends_per_s(self, writers: int) -> float:
        missions = [Mission("orbit-raise") for _ in range(writers)]
        for mission in missions:
            self.app.save(mission)
        counts = [0] * writers
        end = time.perf_counter() + SECONDS

        def write(number: int) -> None:
            mission = missions[number]
            while time.perf_counter() < end:
                _act(mission, counts[number])
                self.app.save(mission)
                counts[number] += 1

        threads = [threading.Thread(target=write, args=(i,)) for i in range(writers)]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / (time.perf_counter() - begin)

    def write_stream(self) -> None:
        mission = Mission("orbit-raise")
        for number in range(STREAM - 1):
            _act(mission, number)
            if number % 1_000 == 0:
                self.app.save(mission)
        self.app.save(mission)
        self.stream = mission.id

    async def replay_s(self) -> float:
        begin = time.perf_counter()
        mission = await asyncio.to_thread(self.app.repository.get, self.stream)
        seconds = time.perf_counter() - begin
        assert mission.version == STREAM
        return seconds


class Ours:
    def __init__(self, store: PostgresEventStore) -> None:
        self.store = store

    async def appends_per_s(self, writers: int) -> float:
        names = [str(uuid4()) for _ in range(writers)]
        await asyncio.gather(
            *(self.store.append(WorkflowCreated(name, name="orbit-raise")) for name in names)
        )
        begin = time.perf_counter()
        end = begin + SECONDS

        async def write(name: str) -> int:
            for number in itertools.count():
                if time.perf_counter() >= end:
                    return number
                await self.store.append(_step(name, number))
            raise AssertionError

        counts = await asyncio.gather(*map(write, names))
        return sum(counts) / (time.perf_counter() - begin)

    async def write_stream(self) -> None:
        self.stream = str(uuid4())
        events = [WorkflowCreated(self.stream, name="orbit-raise")]
        events += [_step(self.stream, number) for number in range(STREAM - 1)]
        await self.store.append_many(events)

    async def replay_s(self) -> float:
        begin = time.perf_counter()
        state = (await self.store.replay(self.stream, WorkflowProjection())).state
        seconds = time.perf_counter() - begin
        assert state.version == STREAM
        assert not state.irregular
        return seconds


def _step(workflow_id: str, number: int) -> WorkflowEvent:
    """The events of steps one after the other: started, completed."""
    name = f"step-{number // 2}"
    if number % 2 == 0:
        return StepStarted(workflow_id, number + 2, step=name)
    result = {"dv_m_s": 1.25, "burn_s": 42.5}
    return StepCompleted(workflow_id, number + 2, step=name, result=result)


def _act(mission: Mission, number: int) -> None:
    name = f"step-{number // 2}"
    if number % 2 == 0:
        mission.start(name, 1)
    else:
        mission.complete(name, 1, {"dv_m_s": 1.25, "burn_s": 42.5})


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="aetherops-figures-") as name:
        async with running_servers(Settings(data_dir=Path(name))) as endpoints:
            dsn = endpoints.postgres_owner_dsn or ""
            async with Postgres.connect(dsn) as postgres:
                await migrate(postgres)
                await postgres.pool.execute("CREATE DATABASE peer")
                peer_dsn = urlunsplit(urlsplit(dsn)._replace(path="/peer"))
                peer = await asyncio.to_thread(Peer, peer_dsn)
                ours = Ours(PostgresEventStore(postgres))
                await compare(ours, peer)
                await show_growth(postgres, peer_dsn)
                peer.app.close()


async def compare(ours: Ours, peer: Peer) -> None:
    for writers in WRITERS:
        await versus(
            f"append, {writers} writer{'s' * (writers > 1)}",
            lambda: ours.appends_per_s(writers),  # noqa: B023 -- awaited before the next
            lambda: peer.appends_per_s(writers),  # noqa: B023
        )
    await ours.write_stream()
    await asyncio.to_thread(peer.write_stream)
    await versus(
        f"replay of {STREAM:,} events",
        lambda: per_s(ours.replay_s()),
        lambda: per_s(peer.replay_s()),
    )


async def per_s(replay: Awaitable[float]) -> float:
    return STREAM / await replay


async def versus(
    what: str, ours: Callable[[], Awaitable[float]], peer: Callable[[], Awaitable[float]]
) -> None:
    figures = []
    gc.collect()
    gc.freeze()  # as a platform that runs has it
    for _ in range(ROUNDS):
        gc.collect()
        figures.append((await ours(), await peer()))
    mine, theirs = (statistics.median(column) for column in zip(*figures, strict=True))
    ratio = statistics.median(a / b for a, b in figures)
    print(f"{what:28} {mine:10,.0f} /s   eventsourcing {theirs:8,.0f} /s   {ratio:5.1f} x")


async def show_growth(postgres: Postgres, peer_dsn: str) -> None:
    mine = await postgres.pool.fetchval(ON_DISK.format(table="workflow_event"))
    async with Postgres.connect(peer_dsn) as other:
        table = await other.pool.fetchval(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%_events'"
        )
        theirs = await other.pool.fetchval(ON_DISK.format(table=table))
    print(f"{'bytes an event, with indexes':28} {mine:10,.0f}      eventsourcing {theirs:8,.0f}")


if __name__ == "__main__":
    asyncio.run(main())

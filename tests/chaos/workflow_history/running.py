"""One history: servers and processes, faults while they work, and what is found afterwards."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg

from aetherops.connections.endpoints import Endpoints
from aetherops.connections.postgres import Postgres
from aetherops.errors import UnavailableError
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.migrate import migrate
from aetherops.runtime.settings import Settings
from aetherops.workflow.postgres import PostgresEventStore
from workflow_history.checking import HistoryCheck
from workflow_history.connecting import connected_store
from workflow_history.faults import Faults, until_answering
from workflow_history.notes import read_notes, read_seen
from workflow_history.processes import Worker
from workflow_history.proxy import Proxy
from workflow_history.reader import HOW
from workflow_history.states import Sample, read_states, stored_state
from workflow_history.stored import stored_rows

__all__ = ["Outcome", "Plan", "make_and_check"]

_ONE_ANSWER_LOST_IN = 12


@dataclass(frozen=True)
class Plan:
    """How long a history is, and what happens to it: until there were so many kills and events.

    Parameters
    ----------
    seconds : it ends at the latest then.
    pause_s : the most time from one fault to the next.
    fold_one_in : readers fold the state of one workflow in so many.
    """

    kills: int
    events: int
    seed: int
    seconds: float
    writers: int = 3
    pause_s: float = 0.6
    fold_one_in: int = 2


@dataclass
class Outcome:
    """What was done, and what was found."""

    seconds: float = 0.0
    events: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    answers_lost: int = 0
    restarts_checked: int = 0
    states_compared: int = 0
    fault_count: int = 0
    faults: list[str] = field(default_factory=list)


async def make_and_check(plan: Plan, directory: Path) -> Outcome:
    """Make a history in a directory, and check it."""
    outcome = Outcome()
    settings = Settings(
        data_dir=directory / "data", redis_url="redis://127.0.0.1:1", nats_url="nats://127.0.0.1:1"
    )
    async with running_servers(settings) as servers:
        owner_dsn = servers.postgres_owner_dsn or ""
        async with Postgres.connect(owner_dsn, pool_size=1) as owner:
            await migrate(owner, runtime_role=urlsplit(servers.postgres_dsn).username)
        begun = time.monotonic()
        async with _workers(plan, directory, servers) as (faults, proxy):
            await _let_happen(plan, faults, servers, outcome)
            for worker in (*faults.writers, *faults.readers):  # readers last: they read to the end
                await worker.stop()
        outcome.seconds = time.monotonic() - begun
        outcome.happened = faults.done
        outcome.answers_lost = proxy.swallowed
        await _check(directory, servers, outcome)
    return outcome


@asynccontextmanager
async def _workers(
    plan: Plan, directory: Path, servers: Endpoints
) -> AsyncIterator[tuple[Faults, Proxy]]:
    url = urlsplit(servers.postgres_dsn)
    socket = str(Path(parse_qs(url.query)["host"][0]) / ".s.PGSQL.5432")
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(
            Proxy(socket, plan.seed, _ONE_ANSWER_LOST_IN).running()
        )
        dsn = f"postgresql://{url.username}@127.0.0.1:{proxy.port}{url.path}?sslmode=disable"
        writers = [
            Worker(
                "workflow_history.writer",
                directory,
                f"w{i}",
                (dsn, f"{directory}/{{run}}.notes", "{run}", str(plan.seed)),
            )
            for i in range(plan.writers)
        ]
        readers = [
            Worker(
                "workflow_history.reader",
                directory,
                f"r-{how}",
                (dsn, f"{directory}/{how}.seen", how, str(plan.fold_one_in)),
            )
            for how in HOW
        ]
        for worker in (*writers, *readers):
            stack.push_async_callback(worker.end)
            await worker.start()
        yield (
            Faults(
                random.Random(plan.seed),
                writers,
                readers,
                servers.postgres_owner_dsn or "",
                directory / "data" / "postgres" / "postgres.pid",
            ),
            proxy,
        )


async def _let_happen(plan: Plan, faults: Faults, servers: Endpoints, outcome: Outcome) -> None:
    deadline = time.monotonic() + plan.seconds
    events = 0
    async with connected_store(servers.postgres_dsn) as store:
        while time.monotonic() < deadline and (faults.kills < plan.kills or events < plan.events):
            await asyncio.sleep(faults.random.uniform(0.0, plan.pause_s))
            try:
                if faults.kills < plan.kills:
                    await _let_one_happen(faults, store, outcome)
                events = await store.last_position()
            except UnavailableError:
                await until_answering(faults.owner_dsn)


async def _let_one_happen(faults: Faults, store: PostgresEventStore, outcome: Outcome) -> None:
    what = faults.next()
    is_restart = what in {"postgres", "backend"}
    sample = await Sample.of(store, faults.random) if is_restart else None
    await faults.do(what)
    if sample:
        outcome.faults += await sample.faults(store)
        outcome.restarts_checked += 1


async def _check(directory: Path, servers: Endpoints, outcome: Outcome) -> None:
    check = HistoryCheck()
    connection = await asyncpg.connect(servers.postgres_dsn)
    try:
        async for rows in stored_rows(connection):
            check.take(rows)
    finally:
        await connection.close()
    check.end()
    for path in _notes_in(directory):
        notes = list(read_notes(path))
        outcome.notes.update(getattr(note, "why", type(note).__name__) for note in notes)
        check.noted(notes)
    for how in HOW:
        check.seen(how, read_seen(directory / f"{how}.seen"))
    async with connected_store(servers.postgres_dsn) as store:
        for how in HOW:
            for name, (version, state) in read_states(directory / f"{how}.seen").items():
                outcome.states_compared += 1
                if await stored_state(store, name) != (version, state):
                    outcome.faults.append(f"reader {how} folded another state of {name}")
    outcome.events = check.events
    outcome.fault_count = len(outcome.faults) + check.count
    outcome.faults += check.faults


def _notes_in(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.notes"))

"""Workflows executed by three runners that are killed and held up, and what is found afterwards."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg

from aetherops.connections.endpoints import Endpoints
from aetherops.connections.postgres import Postgres
from aetherops.errors import UnavailableError
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.migrate import migrate
from aetherops.runtime.settings import Settings
from aetherops.workflow import ConcurrencyError, FencedError, WorkflowProjection
from aetherops.workflow.execution import Registry, start_workflow
from aetherops.workflow.postgres import PostgresEventStore
from aetherops.workflow.postgres.leases import PostgresLeases
from workflow_history.connecting import eager_breaker
from workflow_history.executed import LEASE_S, Effects, registry_with
from workflow_history.execution_checks import Effect, ExecutionCheck, Said
from workflow_history.faults import Faults, until_answering
from workflow_history.processes import Worker
from workflow_history.proxy import Proxy

__all__ = ["Executed", "execute_and_check"]

_RUNNERS = 3
_HARM = ["writer", "held up", "postgres", "session terminated"]
_ONE_ANSWER_LOST_IN = 15
# Once nothing is killed any more, whatever is left is done by then, or an orphan.
_LEFT_S = 120.0
_EVENTS = "SELECT workflow_id, kind, payload FROM workflow_event ORDER BY workflow_id, version"


@dataclass
class Executed:
    """What was done, and what was found."""

    seconds: float = 0.0
    workflows: int = 0
    steps: int = 0
    attempts: int = 0
    doubled: int = 0
    answers_lost: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


async def execute_and_check(kills: int, at_once: int, seed: int, directory: Path) -> Executed:
    """Execute workflows, so many at once, until so much was killed; then check what is stored."""
    outcome = Executed()
    settings = Settings(
        data_dir=directory / "data", redis_url="redis://127.0.0.1:1", nats_url="nats://127.0.0.1:1"
    )
    async with running_servers(settings) as servers:
        owner_dsn = servers.postgres_owner_dsn or ""
        async with Postgres.connect(owner_dsn, pool_size=1) as owner:
            await migrate(owner, runtime_role=urlsplit(servers.postgres_dsn).username)
        begun = time.monotonic()
        url = urlsplit(servers.postgres_dsn)
        socket = str(Path(parse_qs(url.query)["host"][0]) / ".s.PGSQL.5432")
        async with Proxy(socket, seed, _ONE_ANSWER_LOST_IN).running() as proxy:
            dsn = f"postgresql://{url.username}@127.0.0.1:{proxy.port}{url.path}?sslmode=disable"
            runners = [
                Worker(
                    "workflow_history.runner",
                    directory,
                    f"x{i}",
                    (dsn, f"{directory}/{{run}}.effects", "{run}", str(seed)),
                )
                for i in range(_RUNNERS)
            ]
            try:
                for runner in runners:
                    await runner.start()
                faults = Faults(
                    random.Random(seed),
                    runners,
                    [],
                    owner_dsn,
                    directory / "data" / "postgres" / "postgres.pid",
                )
                async with Postgres.connect(
                    servers.postgres_dsn, eager_breaker(), pool_size=4
                ) as postgres:
                    await _let_happen(postgres, faults, kills, at_once, outcome)
                for runner in runners:
                    await runner.stop()
            finally:
                for runner in runners:
                    await runner.end()
            outcome.answers_lost = proxy.swallowed
        outcome.happened = faults.done
        outcome.seconds = time.monotonic() - begun
        await _check(servers, directory, outcome)
    return outcome


async def _let_happen(
    postgres: Postgres, faults: Faults, kills: int, at_once: int, outcome: Executed
) -> None:
    """Start workflows so that so many are under way, beside faults; then wait for the last."""
    chance = random.Random(faults.random.random())

    async def harm() -> None:
        while faults.kills < kills:
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            [what] = chance.choices(_HARM, [5, 3, 1, 2])
            if what == "held up":
                runner = chance.choice(faults.writers)
                await runner.hold_up(chance.uniform(1.2, 2.5) * LEASE_S)
                faults.done["runner held up"] += 1
            else:
                await faults.do(what)

    harming = asyncio.create_task(harm())
    store, leases = PostgresEventStore(postgres), PostgresLeases(postgres, "starter")
    registry = registry_with(Effects(Path("/dev/null")), chance)
    while not harming.done():
        try:
            if await _under_way(postgres) < at_once:
                await _start(store, leases, registry, f"w{outcome.workflows}")
                outcome.workflows += 1
                continue
        except UnavailableError:
            pass
        await asyncio.sleep(0.02)
    await harming
    await until_answering(faults.owner_dsn)
    with suppress(TimeoutError):  # what is left then, the check finds
        async with asyncio.timeout(_LEFT_S):
            while await _under_way_or_unknown(postgres):
                await asyncio.sleep(0.1)


async def _start(
    store: PostgresEventStore, leases: PostgresLeases, registry: Registry, workflow_id: str
) -> None:
    """Start it under this id, again and again until that is known to have been done."""
    while True:
        try:
            await start_workflow(
                store,
                leases,
                registry.latest("chaos"),
                actor="starter",
                now=lambda: datetime.now(UTC),
                workflow_id=workflow_id,
            )
            return
        except ConcurrencyError:
            return  # it began, and the answer was lost
        except (FencedError, UnavailableError):
            await asyncio.sleep(0.05)


async def _under_way(postgres: Postgres) -> int:
    async with postgres.connection() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM workflow_run"))


async def _under_way_or_unknown(postgres: Postgres) -> bool:
    try:
        return await _under_way(postgres) > 0
    except UnavailableError:
        return True


async def _check(servers: Endpoints, directory: Path, outcome: Executed) -> None:
    connection = await asyncpg.connect(servers.postgres_dsn)
    try:
        rows = await connection.fetch(_EVENTS)
    finally:
        await connection.close()
    said: dict[str, list[Said]] = defaultdict(list)
    completed: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        payload = json.loads(row["payload"])
        one = Said(row["kind"], payload.get("step", ""), payload.get("attempt", 0))
        said[row["workflow_id"]].append(one)
        if one.kind == "step.completed":
            completed[row["workflow_id"]][one.step] = one.attempt
    check = ExecutionCheck()
    for workflow_id, events in said.items():
        check.take(workflow_id, events)
    check.effects(_effects(directory), completed)
    outcome.faults += check.faults
    outcome.steps, outcome.attempts, outcome.doubled = check.steps, check.attempts, check.doubled
    if len(said) != outcome.workflows:
        outcome.faults.append(f"{outcome.workflows} workflows were started, {len(said)} are stored")
    async with Postgres.connect(servers.postgres_dsn, pool_size=1) as postgres:
        store = PostgresEventStore(postgres)
        for workflow_id in said:
            state = WorkflowProjection.of(await store.get_events(workflow_id))
            if state.irregular:
                outcome.faults.append(f"{workflow_id}: irregular events {state.irregular}")


def _effects(directory: Path) -> list[Effect]:
    effects = []
    for path in directory.glob("*.effects"):
        for line in path.read_text(encoding="utf-8").splitlines():
            workflow_id, step, attempt, epoch = line.split()
            effects.append(Effect(workflow_id, step, int(attempt), int(epoch)))
    return effects

"""Measures what is read off events of workflows, in turns with eventsourcing 9 on one PostgreSQL.

    pip install "eventsourcing[postgres]>=9,<10"
    python tests/benchmarks/event_reading_figures.py [projection] [rebuild] [instant] [fleet]

Each figure is the median of its rounds; ours and theirs take turns, so that what the machine does
beside touches both. Both keep the same facts of the same events: theirs as aggregates and a table
of their own, made as their documentation makes them.
"""

from __future__ import annotations

import asyncio
import gc
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import ApplicationSubscription
from psycopg.sql import SQL

from aetherops.connections.postgres import Postgres
from aetherops.instants import to_us
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.migrate import migrate
from aetherops.runtime.settings import Settings
from aetherops.workflow import (
    ArtifactAttached,
    EventCodec,
    OwnerAssigned,
    StepCompleted,
    StepStarted,
    WorkflowCreated,
    WorkflowEvent,
    WorkflowMoved,
    shortest_path,
)
from aetherops.workflow.postgres import PostgresEventStore
from aetherops.workflow.read_models.fold import SummaryFold
from aetherops.workflow.read_models.ports import WorkflowFacts
from aetherops.workflow.read_models.postgres import (
    PostgresProjector,
    PostgresReadModel,
    PostgresSnapshots,
)
from aetherops.workflow.snapshots.reading import SnapshotKeeper
from aetherops.workflow.temporal import TemporalQueries

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 10_000  # as the part of the platform has it
WAY = shortest_path("created", "completed") or []
EVENT_COLUMNS = (
    *("position", "workflow_id", "version", "event_id", "kind", "schema_version", "occurred_us"),
    *("recorded_us", "actor", "correlation_id", "causation_id", "payload"),
)


# ---- theirs


class Work(Aggregate):
    """The same facts, as an aggregate of eventsourcing."""

    @event("Created")
    def __init__(self, name: str, owner: str) -> None:
        self.name, self.owner, self.status = name, owner, "created"
        self.history = ["created"]
        self.steps: dict[str, list[tuple[int, str]]] = {}
        self.artifacts: dict[str, Any] = {}

    @event("Moved")
    def move(self, source: str, target: str) -> None:
        self.status = target
        self.history.append(target)

    @event("Assigned")
    def assign(self, owner: str) -> None:
        self.owner = owner

    @event("StepStarted")
    def start_step(self, step: str, attempt: int) -> None:
        self.steps.setdefault(step, []).append((attempt, "running"))

    @event("StepCompleted")
    def complete_step(self, step: str, attempt: int, result: Any) -> None:
        self.steps[step][-1] = (attempt, "completed")

    @event("Attached")
    def attach(self, key: str, value: Any) -> None:
        self.artifacts[key] = value


class Works(Application):
    """Their application over these aggregates."""


class WorkTable(PostgresTrackingRecorder):
    """Their read model: a row an aggregate, its tracking in the same transaction."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS their_work (id uuid PRIMARY KEY, status text, "
                "owner text, version bigint)"
            ).format()
        )

    def take(self, tracking: Tracking, found: Any) -> None:
        """One event: the row and how far that is."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO their_work VALUES (%s, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET "
                "status = coalesce(excluded.status, their_work.status), "
                "owner = coalesce(excluded.owner, their_work.owner), version = excluded.version",
                (
                    found.originator_id,
                    getattr(found, "target", None),
                    getattr(found, "owner", None),
                    found.originator_version,
                ),
            )


def their_environment(dsn: str) -> dict[str, str]:
    parts = urlsplit(dsn)
    host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path[1:],
        "POSTGRES_HOST": unquote(host),
        "POSTGRES_PORT": str(parts.port or parse_qs(parts.query).get("port", ["5432"])[0]),
        "POSTGRES_USER": parts.username or "",
        "POSTGRES_PASSWORD": unquote(parts.password or "none"),
    }


def their_history(
    rng: random.Random, events: int, save: Callable[[Work], object] = lambda _: None
) -> Work:
    """One aggregate that went through these events; saved each hundred."""
    work = Work("orbit-raise", "ada")
    for number, saying in enumerate(sayings(rng, events - 1)):
        if number % 100 == 0:
            save(work)
        match saying:
            case ("start", step, attempt):
                work.start_step(step, attempt)
            case ("complete", step, attempt, result):
                work.complete_step(step, attempt, result)
            case ("move", source, target):
                work.move(source, target)
            case ("assign", owner):
                work.assign(owner)
            case ("attach", key, value):
                work.attach(key, value)
    return work


# ---- ours, and what both are made of


def sayings(rng: random.Random, count: int) -> Iterator[tuple[Any, ...]]:
    """What happens to a workflow: mostly steps, and now and then something else."""
    steps: dict[str, int] = {}
    said, at = 0, 0
    while said < count:
        choice = rng.random()
        if choice < 0.1 and at < len(WAY) - 2:
            yield "move", WAY[at], WAY[at + 1]
            at += 1
        elif choice < 0.15:
            yield "assign", rng.choice(("ada", "grace"))
        elif choice < 0.3:
            yield "attach", f"log-{rng.randrange(20)}", {"peak": rng.random(), "unit": "m/s"}
        else:
            step = f"burn-{rng.randrange(50)}"
            steps[step] = steps.get(step, 0) + 1
            yield "start", step, steps[step]
            said += 1
            if said < count:
                yield "complete", step, steps[step], {"delta_v": rng.random()}
        said += 1


def our_history(rng: random.Random, name: str, events: int) -> list[WorkflowEvent]:
    made: list[WorkflowEvent] = [
        WorkflowCreated(workflow_id=name, name="orbit-raise", owner="ada", occurred_at=BEGIN)
    ]
    for version, saying in enumerate(sayings(rng, events - 1), start=2):
        common: dict[str, Any] = {
            "workflow_id": name,
            "version": version,
            "occurred_at": BEGIN + timedelta(seconds=version),
        }
        match saying:
            case ("start", step, attempt):
                made.append(StepStarted(step=step, attempt=attempt, **common))
            case ("complete", step, attempt, result):
                made.append(StepCompleted(step=step, attempt=attempt, result=result, **common))
            case ("move", source, target):
                made.append(WorkflowMoved(source=source, target=target, **common))
            case ("assign", owner):
                made.append(OwnerAssigned(owner=owner, **common))
            case ("attach", key, value):
                made.append(ArtifactAttached(key=key, value=value, **common))
    return made


async def put(
    postgres: Postgres, histories: list[list[WorkflowEvent]], active: int = 500, seed: int = 0
) -> int:
    """Store histories interleaved as they would have come in, without appending one by one.

    So many workflows are under way at a time; as one ends, the next begins.
    """
    codec, rng = EventCodec(), random.Random(seed)
    waiting = iter(histories)
    turns = [iter(history) for _, history in zip(range(active), waiting, strict=False)]
    position = first = await PostgresEventStore(postgres).last_position()
    rows = []
    while turns:
        i = rng.randrange(len(turns))
        if (one := next(turns[i], None)) is None:
            following = next(waiting, None)
            turns[i : i + 1] = [] if following is None else [iter(following)]
            continue
        position += 1
        recorded_us = to_us(BEGIN) + 1_000 * position
        rows.append(
            (
                *(position, one.workflow_id, one.version, one.event_id, one.kind),
                *(one.schema_version, to_us(one.occurred_at), recorded_us, one.actor, None, None),
                codec.encode(one),
            )
        )
    async with postgres.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.copy_records_to_table(
            "workflow_event", records=rows, columns=EVENT_COLUMNS, timeout=300
        )
    await postgres.pool.execute("ANALYZE workflow_event")
    return first + len(rows)


def projector_on(postgres: Postgres) -> PostgresProjector:
    return PostgresProjector(postgres, SummaryFold(EventCodec(parse=orjson.loads), orjson.loads))


# ---- figures


async def projection(postgres: Postgres, dsn: str) -> None:
    """Events a second that a read model takes in, each batch with its checkpoint."""
    rounds, ours_a_round, theirs_a_round = 5, 20_000, 100
    rng = random.Random(1)
    await put(postgres, [our_history(rng, f"p-{i:05}", 20) for i in range(rounds * 1_000)])
    app = Works(env=their_environment(dsn))
    app.save(*(their_history(rng, 10) for _ in range(rounds * 10)))
    table = app.factory.tracking_recorder(WorkTable)
    projector = projector_on(postgres)
    await projector.advance(1)
    ours, theirs = [], []
    for i in range(rounds):
        theirs.append(
            theirs_a_round / timed(lambda i=i: their_projection(app, table, i, theirs_a_round))
        )
        begin, taken = time.perf_counter(), 0
        while taken < ours_a_round - 1:
            folded = await projector.advance(min(BATCH, ours_a_round - taken))
            if folded is None:
                break
            taken += folded.count
        ours.append(taken / (time.perf_counter() - begin))
    app.close()
    tell("projection, events/s", ours, theirs)


def their_projection(app: Works, table: WorkTable, turn: int, count: int) -> None:
    with ApplicationSubscription(app, gt=turn * count or None) as subscription:
        for _ in range(count):
            found, tracking = next(subscription)
            table.take(tracking, found)


async def rebuild(postgres: Postgres, dsn: str) -> None:
    """Events a second of a rebuild from the first event on."""
    rng = random.Random(2)
    last = await put(postgres, [our_history(rng, f"r-{i:05}", 20) for i in range(5_000)])
    app = Works(env=their_environment(dsn))
    for _ in range(30):
        app.save(*(their_history(rng, 20) for _ in range(50)))
    count = app.recorder.max_notification_id() or 1
    projector = projector_on(postgres)
    ours, theirs = [], []
    for _ in range(5):
        theirs.append(count / timed(lambda: their_rebuild(app)))
        begin = time.perf_counter()
        done = await projector.rebuild()
        ours.append(done.position / (time.perf_counter() - begin))
        assert done.position == last
    app.close()
    tell("rebuild, events/s (theirs in memory, nothing written)", ours, theirs)


def their_rebuild(app: Works) -> None:
    """At its best: large pages, all of it folded in memory, nothing written at all."""
    start, rows = 1, {}
    while page := app.recorder.select_notifications(start, limit=5_000):
        for notification in page:
            found = app.mapper.to_domain_event(notification)
            status, owner, _ = rows.get(found.originator_id, ("created", None, 0))
            rows[found.originator_id] = (
                getattr(found, "target", status),
                getattr(found, "owner", owner),
                found.originator_version,
            )
        start = page[-1].id + 1


async def instant(postgres: Postgres, dsn: str) -> None:
    """Milliseconds for the state at an instant of a history of 10,000 events."""
    events, looks = 10_000, 40
    app = Works(env=their_environment(dsn))
    work = their_history(random.Random(3), events, app.save)
    app.save(work)
    store = PostgresEventStore(postgres, EventCodec(parse=orjson.loads))
    snapshots, read_model = PostgresSnapshots(postgres), PostgresReadModel(postgres)
    last = await put(postgres, [our_history(random.Random(3), "long", events)])
    keeper = SnapshotKeeper(store, snapshots)
    kept = await keeper.keep("long", events)
    past = TemporalQueries(store, read_model, snapshots)
    without = TemporalQueries(store, read_model)
    rng, ours, plain, theirs = random.Random(4), [], [], []
    for _ in range(looks):
        version = rng.randint(1, events)
        at = BEGIN + timedelta(milliseconds=last - events + version)
        theirs.append(1e3 * timed(lambda v=version: app.repository.get(work.id, version=v)))
        for queries, times in ((past, ours), (without, plain)):
            begin = time.perf_counter()
            state = await queries.state_at("long", at)
            times.append(1e3 * (time.perf_counter() - begin))
            assert state.version == version
    app.close()
    tell("state at an instant, ms", ours, theirs, smaller=True)
    tell("state at an instant without kept states, ms", plain, theirs, smaller=True)
    size = await postgres.pool.fetchval("SELECT pg_total_relation_size('workflow_snapshot')")
    show("kept states", f"{kept}, {size / events:.0f} bytes an event of the history")


async def fleet(postgres: Postgres, _: str) -> None:
    """Milliseconds for 50,000 workflows at an instant, and for reading so many rows."""
    rng, workflows = random.Random(5), 50_000
    # All begin first, so that every instant has all of them.
    histories = [our_history(rng, f"f-{i:06}", 5) for i in range(workflows)]
    first = await put(postgres, [history[:1] for history in histories])
    last = await put(postgres, [history[1:] for history in histories])
    histories.clear()
    await projector_on(postgres).rebuild()
    gc.collect()
    gc.freeze()  # what was made for this is no part of what is measured
    await postgres.pool.execute("VACUUM ANALYZE workflow_summary, workflow_interval")
    model = PostgresReadModel(postgres)
    intervals = await postgres.pool.fetchval("SELECT count(*) FROM workflow_interval")
    show("fleet", f"{await count_of(postgres)} workflows, {last} events, {intervals} intervals")
    for share in (0.0, 0.5, 1.0):
        position = first + round(share * (last - first))
        ours, reading = [], []
        for _ in range(9):
            begin = time.perf_counter()
            found = await model.facts_at(position)
            ours.append(1e3 * (time.perf_counter() - begin))
            begin = time.perf_counter()
            rows = await postgres.pool.fetch(
                "SELECT workflow_id, status, owner, paused FROM workflow_summary"
            )
            assert len([WorkflowFacts._make(row) for row in rows]) == len(found)
            reading.append(1e3 * (time.perf_counter() - begin))
        tell(f"fleet at {share:.0%} of the past, ms, against reading", ours, reading, smaller=True)


async def count_of(postgres: Postgres) -> int:
    return int(await postgres.pool.fetchval("SELECT count(*) FROM workflow_summary"))


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def tell(what: str, ours: list[float], theirs: list[float], smaller: bool = False) -> None:
    one, other = statistics.median(ours), statistics.median(theirs)
    pairs = zip(ours, theirs, strict=True)
    ratio = statistics.median(b / a if smaller else a / b for a, b in pairs)
    show(what, f"{one:,.1f} against {other:,.1f}: {ratio:.1f} ×")


def show(what: str, figure: str) -> None:
    print(f"{what:<60} {figure}", flush=True)


FIGURES = {one.__name__: one for one in (projection, rebuild, instant, fleet)}


async def main() -> None:
    for name in sys.argv[1:] or FIGURES:
        with tempfile.TemporaryDirectory(prefix="aetherops-figures-") as directory:
            settings = Settings(data_dir=Path(directory))
            async with running_servers(settings) as endpoints:
                dsn = endpoints.postgres_owner_dsn or endpoints.postgres_dsn
                async with Postgres.connect(dsn, command_timeout_s=300) as postgres:
                    await migrate(postgres)
                    await FIGURES[name](postgres, dsn)


if __name__ == "__main__":
    asyncio.run(main())

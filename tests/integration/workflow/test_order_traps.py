"""What makes readers of an event table miss events, or writers fail: none of it happens here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from aetherops.connections.postgres import Postgres
from aetherops.errors import StoreCannotWriteError
from aetherops.workflow import (
    MissingEventError,
    StepStarted,
    WorkflowCreated,
    WorkflowEvent,
    WorkflowProjection,
)
from aetherops.workflow.appends import checked_append
from aetherops.workflow.events.codec import EventCodec
from aetherops.workflow.postgres import PostgresEventStore
from aetherops.workflow.postgres.appending import append_batch

pytestmark = pytest.mark.integration

TurnTaken = Callable[[], AbstractAsyncContextManager[None]]
UntilWaiting = Callable[[int], Awaitable[None]]


@pytest_asyncio.fixture
async def slow_writer(runtime_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection whose transactions last as long as a test wants."""
    connection = await asyncpg.connect(runtime_dsn)
    yield connection
    await connection.close()


async def _append_on(connection: asyncpg.Connection, event: WorkflowEvent) -> WorkflowEvent:
    """Append without committing."""
    append = checked_append(EventCodec(), [event], None, None)
    [outcome] = await append_batch(connection, [append])
    assert isinstance(outcome, list)
    return outcome[0]


async def test_positions_are_given_in_the_order_of_commits_and_none_is_skipped(
    postgres_store: PostgresEventStore,
    slow_writer: asyncpg.Connection,
    until_waiting: UntilWaiting,
) -> None:
    transaction = slow_writer.transaction()
    await transaction.start()
    first = await _append_on(slow_writer, WorkflowCreated("slow"))
    later = asyncio.create_task(postgres_store.append(WorkflowCreated("fast")))
    await until_waiting(1)
    # With an identity column the fast one would be read now, and the slow one never.
    assert await postgres_store.read_from(0) == []
    assert not later.done()
    await transaction.commit()
    assert (first.position, (await later).position) == (1, 2)
    assert [e.workflow_id for e in await postgres_store.read_from(0)] == ["slow", "fast"]


async def test_what_was_recorded_up_to_an_instant_is_the_same_for_ever_once_it_was_told(
    postgres_store: PostgresEventStore,
    slow_writer: asyncpg.Connection,
    until_waiting: UntilWaiting,
) -> None:
    before = await postgres_store.append(WorkflowCreated("w"))
    async with slow_writer.transaction():
        slow = await _append_on(slow_writer, StepStarted("w", 2, step="a"))
        assert before.recorded_at is not None
        assert slow.recorded_at is not None
        # Of the past before it: nothing can come in between, and nobody waits.
        assert await postgres_store.position_at(before.recorded_at) == 1
        # It has its time, and is not committed.
        asked = [
            asyncio.ensure_future(one)
            for one in (
                postgres_store.position_at(slow.recorded_at),
                postgres_store.get_events("w", until=slow.recorded_at),
                postgres_store.get_events_since(before.recorded_at + timedelta(microseconds=1)),
                postgres_store.replay("w", WorkflowProjection(), until=slow.recorded_at),
            )
        ]
        await until_waiting(len(asked))
    position, events, since, projection = await asyncio.gather(*asked)
    assert (position, len(events), projection.version) == (2, 2, 2)
    assert len(since) == (slow.recorded_at > before.recorded_at + timedelta(microseconds=1))


async def test_a_safe_horizon_by_transaction_id_but_ordered_by_position_loses_nothing_here(
    postgres_store: PostgresEventStore, slow_writer: asyncpg.Connection
) -> None:
    seen = postgres_store.subscribe()
    async with slow_writer.transaction():
        # The older transaction id comes to have the later position, and commits last: who reads
        # by position up to the oldest open transaction loses one of them.
        oldest = int(await slow_writer.fetchval("SELECT pg_current_xact_id()::text"))
        await postgres_store.append(WorkflowCreated("young"))
        assert (await asyncio.wait_for(anext(seen), 30)).workflow_id == "young"
        await _append_on(slow_writer, WorkflowCreated("old"))
    assert (await asyncio.wait_for(anext(seen), 30)).workflow_id == "old"
    await seen.aclose()  # type: ignore[attr-defined]
    rows = await slow_writer.fetch(
        "SELECT xmin::text::bigint FROM workflow_event ORDER BY position"
    )
    assert [row[0] == oldest % 2**32 for row in rows] == [False, True]
    assert [e.position for e in await postgres_store.read_from(0)] == [1, 2]


async def test_an_append_that_is_rolled_back_leaves_no_gap(
    postgres_store: PostgresEventStore, slow_writer: asyncpg.Connection
) -> None:
    transaction = slow_writer.transaction()
    await transaction.start()
    assert (await _append_on(slow_writer, WorkflowCreated("never"))).position == 1
    await transaction.rollback()
    assert (await postgres_store.append(WorkflowCreated("w"))).position == 1


async def test_recorded_times_are_not_those_of_the_start_of_a_transaction(
    postgres_store: PostgresEventStore, slow_writer: asyncpg.Connection
) -> None:
    async with slow_writer.transaction():
        await slow_writer.fetchval("SELECT now()")  # as early as it gets
        fast = await postgres_store.append(WorkflowCreated("fast"))
        before = await slow_writer.fetchval("SELECT clock_timestamp()")
        slow = await _append_on(slow_writer, WorkflowCreated("slow"))
    assert fast.recorded_at is not None
    assert slow.recorded_at is not None
    assert slow.recorded_at >= before
    assert await postgres_store.get_events_since(fast.recorded_at) == [slow]


async def test_an_open_transaction_in_another_database_keeps_nobody_from_reading(
    postgres_store: PostgresEventStore, runtime_dsn: str, postgres_dsn: str
) -> None:
    elsewhere = urlunsplit(urlsplit(postgres_dsn)._replace(path="/postgres"))
    async with AsyncExitStack() as stack:
        for dsn in (elsewhere, runtime_dsn):
            idle = await asyncpg.connect(dsn)
            stack.push_async_callback(idle.close)
            await stack.enter_async_context(idle.transaction())
            await idle.fetchval("SELECT pg_current_xact_id()")
        stored = await postgres_store.append(WorkflowCreated("w"))
        assert await postgres_store.read_from(0) == [stored]


async def test_many_writers_on_many_connections_never_take_one_position_twice(
    runtime_dsn: str,
) -> None:
    async with AsyncExitStack() as stack:
        stores = [
            PostgresEventStore(await stack.enter_async_context(Postgres.connect(runtime_dsn)))
            for _ in range(4)
        ]
        stored = await asyncio.gather(
            *(
                store.append(WorkflowCreated(f"w-{i}-{j}"))
                for j in range(50)
                for i, store in enumerate(stores)
            )
        )
        assert sorted(e.position or 0 for e in stored) == list(range(1, 201))
        times = [e.recorded_at for e in await stores[0].read_from(0)]
        assert times == sorted(set(times), key=lambda at: at.timestamp() if at else 0)
        assert len(times) == 200


async def test_the_lock_is_taken_by_a_statement_before_the_one_that_looks(
    postgres_pool: asyncpg.Pool,
) -> None:
    # A snapshot is taken with each statement of a volatile function, and so after the lock.
    row = await postgres_pool.fetchrow(
        "SELECT provolatile::text, prosecdef, prosrc FROM pg_proc WHERE proname = 'workflow_append'"
    )
    assert row is not None
    assert (row["provolatile"], row["prosecdef"]) == ("v", True)
    assert row["prosrc"].index("workflow_take_turn") < row["prosrc"].index("SELECT")


@pytest.mark.parametrize("isolation", ["serializable", "repeatable read"])
async def test_an_isolation_that_would_look_at_a_stale_snapshot_is_refused(
    runtime_dsn: str, isolation: str
) -> None:
    pool = await asyncpg.create_pool(
        runtime_dsn,
        min_size=1,
        max_size=1,
        server_settings={"default_transaction_isolation": isolation},
    )
    postgres = Postgres(pool)
    try:
        store = PostgresEventStore(postgres)
        with pytest.raises(StoreCannotWriteError, match="read what is committed"):
            await store.append(WorkflowCreated("w"))
        assert await store.last_position() == 0
    finally:
        await postgres.close()


async def test_nothing_notifies_inside_an_append(postgres_pool: asyncpg.Pool) -> None:
    # NOTIFY takes a lock of all databases at commit; subscriptions look again by themselves.
    notifying = await postgres_pool.fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
        "AND prosrc ILIKE '%notify%'"
    )
    assert notifying == []


async def test_a_subscription_hears_of_events_that_another_process_appends(
    postgres_store: PostgresEventStore, runtime_postgres: Postgres
) -> None:
    seen = postgres_store.subscribe()
    another = PostgresEventStore(runtime_postgres)  # its hints go to its own subscriptions alone
    next_event = asyncio.ensure_future(anext(seen))
    stored = await another.append(WorkflowCreated("w"))
    assert await asyncio.wait_for(next_event, 30) == stored
    await seen.aclose()  # type: ignore[attr-defined]


async def test_a_hole_in_the_order_ends_a_subscription_instead_of_being_passed_over(
    postgres_store: PostgresEventStore, postgres_pool: asyncpg.Pool
) -> None:
    await postgres_store.append_many(
        [WorkflowCreated("w"), *(StepStarted("w", v, step="s") for v in (2, 3))]
    )
    await postgres_pool.execute("ALTER TABLE workflow_event DISABLE TRIGGER append_only")
    await postgres_pool.execute("DELETE FROM workflow_event WHERE position = 2")
    subscription = postgres_store.subscribe()
    assert (await anext(subscription)).position == 1
    with pytest.raises(MissingEventError) as missing:
        await anext(subscription)
    assert (missing.value.expected, missing.value.actual) == (2, 3)


@pytest.fixture(params=["owner", "runtime"])
def as_role(request: pytest.FixtureRequest) -> asyncpg.Pool:
    """Connections as the one role or the other: where there is but one, it is the owner."""
    name = {"owner": "postgres", "runtime": "runtime_postgres"}[request.param]
    postgres: Postgres = request.getfixturevalue(name)
    return postgres.pool


@pytest.mark.parametrize("table", ["workflow_event", "workflow_epoch"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET workflow_id = 'another'",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "INSERT INTO {table} SELECT * FROM {table}",
    ],
)
async def test_nothing_but_the_functions_changes_the_tables_whatever_the_role(
    postgres_store: PostgresEventStore,
    as_role: asyncpg.Pool,
    table: str,
    statement: str,
) -> None:
    await postgres_store.append(WorkflowCreated("w"))
    await postgres_store.fence("w")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_role.execute(statement.format(table=table))
    assert len(await postgres_store.get_events("w")) == 1
    assert await postgres_store.fence("w") == 2


async def test_the_functions_are_for_whom_they_were_granted_to(postgres_pool: asyncpg.Pool) -> None:
    granted = await postgres_pool.fetch(
        "SELECT proname, has_function_privilege('public', oid, 'EXECUTE') AS to_all, proconfig "
        "FROM pg_proc WHERE proname IN ('workflow_append', 'workflow_fence')"
    )
    assert [row["to_all"] for row in granted] == [False, False]
    assert all("search_path=public, pg_temp" in row["proconfig"] for row in granted)


async def test_recorded_times_grow_though_the_clock_was_set_back(
    postgres_store: PostgresEventStore, postgres_pool: asyncpg.Pool
) -> None:
    await postgres_store.append(WorkflowCreated("before"))
    # As if it had been recorded in an hour.
    await postgres_pool.execute("ALTER TABLE workflow_event DISABLE TRIGGER append_only")
    await postgres_pool.execute(
        "UPDATE workflow_event SET recorded_us = recorded_us + 3600 * 1000000::bigint"
    )
    [before] = await postgres_store.get_events("before")
    after = await postgres_store.append(WorkflowCreated("after"))
    assert before.recorded_at is not None
    assert after.recorded_at == before.recorded_at + timedelta(microseconds=1)
    assert await postgres_store.get_events_since(before.recorded_at) == [after]


async def test_payloads_are_kept_as_the_bytes_that_were_written(
    postgres_store: PostgresEventStore, postgres_pool: asyncpg.Pool
) -> None:
    # As jsonb they would take a third more, be read more slowly, and come back as other bytes.
    event = WorkflowCreated("w", input={"b": 1.0, "a": [2]})
    await postgres_store.append(event)
    stored = await postgres_pool.fetchval("SELECT payload FROM workflow_event")
    assert stored == EventCodec().encode(event)

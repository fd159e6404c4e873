"""Appends whose answer is lost, whose caller is gone, or whose store closes: each event is once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import pytest

from aetherops.connections.postgres import Postgres, PostgresConnection
from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.resilience import Retry
from aetherops.workflow import (
    ConcurrencyError,
    StepStarted,
    WorkflowCreated,
    WorkflowEvent,
)
from aetherops.workflow.postgres import PostgresEventStore

pytestmark = pytest.mark.integration

TurnTaken = Callable[[], AbstractAsyncContextManager[None]]
UntilWaiting = Callable[[int], Awaitable[None]]

QUICK = Retry(attempts=3, base_ms=1, cap_ms=2, on=(UnavailableError,))
TERMINATE_WAITING = """
SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted
"""


class _LosesAnswers(Postgres):
    """The real server; the connection is lost when it has committed, before anybody is told."""

    to_lose = 0

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[PostgresConnection]:
        async with super().writing() as connection:
            yield connection
        if self.to_lose:
            self.to_lose -= 1
            raise UnavailableError("postgres")


@pytest.fixture
def losing(runtime_postgres: Postgres) -> _LosesAnswers:
    return _LosesAnswers(runtime_postgres.pool)


async def test_an_append_whose_answer_was_lost_is_stored_once_and_answered(
    losing: _LosesAnswers,
) -> None:
    store = PostgresEventStore(losing, retry=QUICK)
    losing.to_lose = 2
    first, other = await asyncio.gather(
        store.append(WorkflowCreated("w")), store.append(WorkflowCreated("v"))
    )
    assert {first.position, other.position} == {1, 2}
    assert await store.read_from(0) == [first, other]


async def test_losers_are_told_their_own_errors_though_the_answer_was_lost(
    losing: _LosesAnswers,
) -> None:
    store = PostgresEventStore(losing, retry=QUICK)
    await store.append(WorkflowCreated("taken"))
    losing.to_lose = 1
    good, refused = await asyncio.gather(
        store.append(WorkflowCreated("w")),
        store.append(WorkflowCreated("taken")),
        return_exceptions=True,
    )
    assert isinstance(good, WorkflowEvent)
    assert isinstance(refused, ConcurrencyError)
    assert await store.last_position() == 2


async def test_a_server_that_stays_away_is_an_error_within_a_bound_and_the_append_can_be_repeated(
    losing: _LosesAnswers,
) -> None:
    store = PostgresEventStore(losing, retry=QUICK)
    losing.to_lose = 3
    event = WorkflowCreated("w")
    with pytest.raises(UnavailableError):
        await store.append(event)
    assert (await store.append(event)).position == 1
    assert await store.last_position() == 1


async def test_a_connection_that_ends_in_the_middle_of_an_append_is_replaced(
    postgres_store: PostgresEventStore,
    postgres_pool: asyncpg.Pool,
    turn_taken: TurnTaken,
    until_waiting: UntilWaiting,
) -> None:
    async with turn_taken():
        appends = [
            asyncio.create_task(postgres_store.append(WorkflowCreated(f"w{i}"))) for i in range(5)
        ]
        await until_waiting(1)
        await postgres_pool.execute(TERMINATE_WAITING)
        await asyncio.sleep(0)
    stored = await asyncio.gather(*appends)
    assert [e.position for e in stored] == [1, 2, 3, 4, 5]
    assert await postgres_store.last_position() == 5


async def test_a_caller_that_is_cancelled_takes_nobody_with_it(
    postgres_store: PostgresEventStore, turn_taken: TurnTaken, until_waiting: UntilWaiting
) -> None:
    async with turn_taken():
        sent = asyncio.create_task(postgres_store.append(WorkflowCreated("sent")))
        await until_waiting(1)
        queued = asyncio.create_task(postgres_store.append(WorkflowCreated("queued")))
        after = asyncio.create_task(postgres_store.append(WorkflowCreated("after")))
        await asyncio.sleep(0)
        sent.cancel()
        queued.cancel()
    assert (await after).workflow_id == "after"
    assert sent.cancelled()
    assert queued.cancelled()
    # What was on its way is stored all the same; what was not, never goes.
    assert [e.workflow_id for e in await postgres_store.read_from(0)] == ["sent", "after"]


async def test_closing_waits_for_the_appends_under_way_and_takes_no_more(
    postgres_store: PostgresEventStore, turn_taken: TurnTaken, until_waiting: UntilWaiting
) -> None:
    async with turn_taken():
        appends = [asyncio.create_task(postgres_store.append(WorkflowCreated("w")))]
        await until_waiting(1)
        appends.append(asyncio.create_task(postgres_store.append(WorkflowCreated("v"))))
        await asyncio.sleep(0)
        closing = asyncio.create_task(postgres_store.close())
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError):
            await postgres_store.append(WorkflowCreated("late"))
        assert not closing.done()
    await closing
    assert all(append.done() for append in appends)
    assert await postgres_store.last_position() == 2


async def test_another_event_loop_is_refused_clearly(postgres_store: PostgresEventStore) -> None:
    await postgres_store.append(WorkflowCreated("w"))

    def elsewhere() -> None:
        asyncio.run(postgres_store.append(StepStarted("w", 2, step="s")))

    with pytest.raises(InvalidInputError, match="event loop"):
        await asyncio.to_thread(elsewhere)
    assert await postgres_store.last_position() == 1


async def test_a_forked_process_is_refused_and_leaves_the_connections_alone(
    postgres_store: PostgresEventStore,
) -> None:
    await postgres_store.append(WorkflowCreated("w"))
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(postgres_store.last_position())
        except InvalidInputError:
            os._exit(7)
        finally:
            os._exit(1)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert await postgres_store.last_position() == 1


async def test_an_append_that_postgres_cannot_hold_is_refused_and_those_beside_it_are_stored(
    postgres_store: PostgresEventStore,
) -> None:
    bad = WorkflowCreated("bad")
    bad.__dict__["actor"] = "past every check: \x00"
    outcomes = await asyncio.gather(
        postgres_store.append(WorkflowCreated("w")),
        postgres_store.append(bad),
        postgres_store.append(WorkflowCreated("v")),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [
        WorkflowCreated,
        InvalidInputError,
        WorkflowCreated,
    ]
    assert [e.workflow_id for e in await postgres_store.read_from(0)] == ["w", "v"]

"""Who holds which workflow: time says who is taken for dead, the epoch says who may append."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest

from aetherops.connections.postgres import Postgres
from aetherops.errors import InvalidInputError
from aetherops.workflow import FencedError, WorkflowCreated, WorkflowPaused
from aetherops.workflow.execution import Claim
from aetherops.workflow.postgres import PostgresEventStore
from aetherops.workflow.postgres.leases import PostgresLeases

pytestmark = pytest.mark.integration

KEYS = ["burn:1"]


@pytest.fixture
def runners(runtime_postgres: Postgres) -> list[PostgresLeases]:
    return [PostgresLeases(runtime_postgres, f"runner {i}", lease_s=60) for i in range(3)]


async def begin(
    store: PostgresEventStore, leases: PostgresLeases, workflow_id: str, definition: str = "burn:1"
) -> None:
    epoch = await leases.offer(workflow_id, definition)
    assert epoch is not None
    await store.append(WorkflowCreated(workflow_id), epoch=epoch)
    await leases.make_due(workflow_id)


async def silence(pool: asyncpg.Pool, name: str) -> None:
    """As though a runner had not beaten for longer than its lease."""
    await pool.execute(
        "UPDATE workflow_runner SET beat_at = beat_at - interval '61 s' WHERE name = $1", name
    )


async def test_of_runners_that_claim_at_once_each_workflow_has_one(
    postgres_store: PostgresEventStore, runners: list[PostgresLeases]
) -> None:
    for i in range(20):
        await begin(postgres_store, runners[0], f"w{i}")
    for runner in runners:
        await runner.beat()
    taken = await asyncio.gather(*(runner.claim(20, KEYS, []) for runner in runners))
    ids = [claim.workflow_id for claims in taken for claim in claims]
    assert sorted(ids) == sorted(f"w{i}" for i in range(20))


async def test_what_another_runner_is_about_to_take_is_passed_over(
    postgres_store: PostgresEventStore,
    runners: list[PostgresLeases],
    turn_taken: Callable[[], AbstractAsyncContextManager[None]],
    until_waiting: Callable[[int], Awaitable[None]],
) -> None:
    one, other, _ = runners
    await begin(postgres_store, one, "w")
    async with turn_taken():
        claiming = asyncio.create_task(one.claim(1, KEYS, []))
        await until_waiting(1)
        async with asyncio.timeout(15):
            assert await other.claim(1, KEYS, []) == []
    assert len(await claiming) == 1


async def test_a_claim_fences_whoever_held_the_workflow_before(
    postgres_store: PostgresEventStore,
    runners: list[PostgresLeases],
    postgres_pool: asyncpg.Pool,
) -> None:
    slow, other, _ = runners
    await begin(postgres_store, slow, "w")
    await slow.beat()
    await other.beat()
    [first] = await slow.claim(1, KEYS, [])
    assert await other.claim(1, KEYS, []) == []
    await silence(postgres_pool, "runner 0")
    [second] = await other.claim(1, KEYS, [])
    assert second == Claim("w", first.epoch + 1, is_taken_over=True)
    with pytest.raises(FencedError):
        await postgres_store.append(WorkflowPaused("w", 2), epoch=first.epoch)
    # What the slow one says of its claim when it comes back changes nothing.
    await slow.finish(first)
    await slow.release(first, None, 1)
    await other.release(second, None, 1)
    assert await other.claim(1, KEYS, []) == []


async def test_the_orphans_of_the_dead_come_before_new_work(
    postgres_store: PostgresEventStore,
    runners: list[PostgresLeases],
    postgres_pool: asyncpg.Pool,
) -> None:
    dead, other, _ = runners
    await begin(postgres_store, dead, "orphan")
    await dead.beat()
    await dead.claim(1, KEYS, [])
    await begin(postgres_store, dead, "new")
    await silence(postgres_pool, "runner 0")
    await other.beat()
    [claim] = await other.claim(1, KEYS, [])
    assert claim.workflow_id == "orphan"


async def test_a_runner_that_leaves_hands_over_at_once(
    postgres_store: PostgresEventStore, runners: list[PostgresLeases]
) -> None:
    leaving, other, _ = runners
    await begin(postgres_store, leaving, "w")
    await leaving.beat()
    await leaving.claim(1, KEYS, [])
    await leaving.leave()
    assert [claim.is_taken_over for claim in await other.claim(1, KEYS, [])] == [True]


async def test_a_claim_whose_answer_was_lost_is_taken_anew(
    postgres_store: PostgresEventStore, runners: list[PostgresLeases]
) -> None:
    runner = runners[0]
    await begin(postgres_store, runner, "w")
    await runner.beat()
    [lost] = await runner.claim(1, KEYS, [])
    [known] = await runner.claim(1, KEYS, [])
    assert known.epoch == lost.epoch + 1
    assert await runner.claim(1, KEYS, ["w"]) == []


async def test_a_runner_takes_only_what_it_has_a_definition_of(
    postgres_store: PostgresEventStore, runners: list[PostgresLeases]
) -> None:
    runner = runners[0]
    await begin(postgres_store, runner, "w", "burn:2")
    assert await runner.claim(1, KEYS, []) == []
    assert len(await runner.claim(1, ["burn:2"], [])) == 1


async def test_what_waits_is_due_at_its_time_or_by_an_event_of_somebody_else(
    postgres_store: PostgresEventStore, runners: list[PostgresLeases]
) -> None:
    runner = runners[0]
    await begin(postgres_store, runner, "w")
    now = await runner.beat()
    [claim] = await runner.claim(1, KEYS, [])
    await runner.release(claim, now, 1)
    [claim] = await runner.claim(1, KEYS, [])
    await runner.release(claim, None, 1)
    await runner.wake()
    assert await runner.claim(1, KEYS, []) == []
    await postgres_store.append(WorkflowPaused("w", 2))
    await runner.wake()
    assert len(await runner.claim(1, KEYS, [])) == 1


async def test_an_event_between_the_look_and_the_release_is_not_missed(
    postgres_store: PostgresEventStore, runners: list[PostgresLeases]
) -> None:
    runner = runners[0]
    await begin(postgres_store, runner, "w")
    await runner.beat()
    [claim] = await runner.claim(1, KEYS, [])
    await postgres_store.append(WorkflowPaused("w", 2))
    assert await runner.wake() == {"w": 2}
    await runner.release(claim, None, 1)  # it had seen the first event alone
    assert len(await runner.claim(1, KEYS, [])) == 1


async def test_what_was_offered_and_never_began_is_fenced_by_who_looks_at_it(
    postgres_store: PostgresEventStore, runtime_postgres: Postgres
) -> None:
    runner = PostgresLeases(runtime_postgres, "quick", grace_s=0)
    epoch = await runner.offer("w", "burn:1")
    [claim] = await runner.claim(1, KEYS, [])
    assert await postgres_store.get_events("w") == []
    await runner.finish(claim)
    with pytest.raises(FencedError):
        await postgres_store.append(WorkflowCreated("w"), epoch=epoch)
    assert await runner.claim(1, KEYS, []) == []


async def test_a_workflow_with_events_is_offered_by_nobody(
    postgres_store: PostgresEventStore, runners: list[PostgresLeases]
) -> None:
    await postgres_store.append(WorkflowCreated("w"))
    assert await runners[0].offer("w", "burn:1") is None
    assert await runners[0].claim(1, KEYS, []) == []


def test_a_lease_has_a_length(runtime_postgres: Postgres) -> None:
    with pytest.raises(InvalidInputError, match="lease_s"):
        PostgresLeases(runtime_postgres, "runner", lease_s=0)

"""Read models follow the events: each event once, whoever is killed, however many follow."""

from __future__ import annotations

import asyncio
import sys

import asyncpg
import pytest

from aetherops.connections.postgres import Postgres
from aetherops.errors import UnavailableError
from aetherops.events import Listeners
from aetherops.parts.workflow_projector import WorkflowProjector
from aetherops.services.read_model_condition import ReadModelCondition
from aetherops.workflow import (
    KINDS,
    EventCodec,
    MissingEventError,
    WorkflowCreated,
    WorkflowFailed,
    WorkflowMoved,
    WorkflowProjection,
)
from aetherops.workflow.read_models.fold import SummaryFold
from aetherops.workflow.read_models.ports import WorkflowQuery, summary_of
from aetherops.workflow.read_models.postgres import PostgresProjector
from aetherops.workflow.snapshots.kept import MemorySnapshots
from aetherops.workflow.snapshots.reading import SnapshotKeeper

EVERYTHING = WorkflowQuery()

FOLLOW = """
import asyncio, sys
from aetherops.connections.postgres import Postgres
from aetherops.workflow.read_models.postgres import PostgresProjector

async def main():
    async with Postgres.connect(sys.argv[1]) as postgres:
        projector = PostgresProjector(postgres)
        while (folded := await projector.advance(20)) is not None:
            print(folded.position, flush=True)
asyncio.run(main())
"""


@pytest.fixture
def running(monkeypatch):
    """Runs a part for a block, then stops it and waits for its end."""

    class Running:
        def __init__(self, part):
            self.part = part

        async def __aenter__(self):
            self.task = asyncio.create_task(self.part.run())
            return self.part

        async def __aexit__(self, *_):
            self.part.stop()
            async with asyncio.timeout(30):
                await self.task

    return Running


async def test_workflow_projection_rebuilds_current_state_from_event_sequence(
    store, history, append, projector, read_model, catch_up
):
    """WorkflowProjection rebuilds current state from event sequence."""
    await append(store, history(300, 10, seed=5))
    await catch_up(projector)
    for found in (await read_model.search(EVERYTHING)).workflows:
        events = await store.get_events(found.workflow_id)
        state = WorkflowProjection.of(events)
        assert found == summary_of(state, events[-1].recorded_at)
        for cut in range(len(events)):
            begun = WorkflowProjection.of(events[:cut])
            assert WorkflowProjection(begun).apply_many(events[cut:]).state == state


async def test_text_that_no_database_lists_holds_nothing_up(
    store, append, projector, read_model, catch_up, same_as_the_events
):
    error = "no\x00 signal"
    await append(store, [WorkflowCreated("w"), WorkflowFailed("w", 2, error=error)])
    await append(store, [WorkflowCreated("after")])
    await catch_up(projector)
    found = {one.workflow_id: one for one in (await read_model.search(EVERYTHING)).workflows}
    assert found.keys() == {"w", "after"}
    assert found["w"].error == "no\ufffd signal"
    assert WorkflowProjection.of(await store.get_events("w")).error == error
    await same_as_the_events(read_model, store)


@pytest.mark.chaos
async def test_a_projector_that_is_killed_in_the_middle_neither_loses_nor_doubles_an_event(
    store, history, append, projector, read_model, catch_up, runtime_dsn, same_as_the_events
):
    await append(store, history(1_000, 30))
    for lines in (3, 1, 8):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", FOLLOW, runtime_dsn, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(lines):
            position = int(await process.stdout.readline())
        process.kill()
        await process.wait()
        # What it said was taken in had been committed.
        assert await read_model.position() >= position
    assert position < 1_000
    await catch_up(projector)
    await same_as_the_events(read_model, store)


async def test_a_transaction_that_is_cut_off_leaves_rows_and_checkpoint_as_they_were(
    store, history, append, projector, postgres, read_model, catch_up, same_as_the_events
):
    events = history(300, 20)
    await append(store, events[:200])
    await catch_up(projector)
    await append(store, events[200:])
    async with postgres.pool.acquire() as blocker, blocker.transaction():
        # It writes its checkpoint first, and waits here for its rows.
        await blocker.execute("LOCK TABLE workflow_summary IN EXCLUSIVE MODE")
        task = asyncio.create_task(projector.advance(100))
        while not (
            pid := await blocker.fetchval(
                """SELECT pid FROM pg_locks
                   WHERE relation = 'workflow_summary'::regclass AND NOT granted"""
            )
        ):
            assert not task.done()
            await asyncio.sleep(0.01)
        await blocker.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(UnavailableError):
            await task
    assert await read_model.position() == 200
    await catch_up(projector)
    await same_as_the_events(read_model, store)


async def test_two_projectors_at_once_take_each_event_in_once(
    store, history, append, runtime_dsn, read_model, same_as_the_events
):
    await append(store, history(600, 25))

    async def follow(postgres):
        projector, taken = PostgresProjector(postgres), []
        while await read_model.position() < 600:
            if (folded := await projector.advance(10)) is not None:
                taken.append((folded.position - folded.count, folded.position))
        return taken

    async with Postgres.connect(runtime_dsn) as one, Postgres.connect(runtime_dsn) as other:
        both = await asyncio.gather(follow(one), follow(other))
    taken = sorted(both[0] + both[1])
    assert [begin for begin, _ in taken] == [0, *(end for _, end in taken[:-1])]
    assert taken[-1][1] == 600
    await same_as_the_events(read_model, store)


async def test_a_position_that_is_missing_is_never_passed_over(
    store, append, history, projector, postgres, read_model, catch_up
):
    await append(store, history(50, 5))
    await catch_up(projector)
    await append(store, history(60, 5)[50:])
    async with postgres.pool.acquire() as connection:
        await connection.execute("SET session_replication_role = replica")  # passes triggers by
        await connection.execute("DELETE FROM workflow_event WHERE position = 55")
        await connection.execute("RESET session_replication_role")
    with pytest.raises(MissingEventError, match="position 55, got 56"):
        await projector.advance(100)
    assert await read_model.position() == 50


class TestPoison:
    """An event that cannot be read stops its workflow, and no other."""

    async def put(self, postgres, workflow_id, version, kind="workflow.moved", data=b"{", schema=1):
        async with postgres.pool.acquire() as connection, connection.transaction():
            # No store takes such an event: it is put there as its owner could.
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(
                """INSERT INTO workflow_event
                   (position, workflow_id, version, event_id, kind, schema_version, occurred_us,
                    recorded_us, actor, payload)
                   SELECT max(position) + 1, $1, $2, gen_random_uuid(), $3, $4, 1,
                          max(recorded_us) + 1, 'test', $5
                   FROM workflow_event""",
                workflow_id,
                version,
                kind,
                schema,
                data,
            )

    @pytest.mark.parametrize(
        ("kind", "data", "schema", "reason"),
        [
            ("workflow.moved", b"{", 1, "DamagedEventError"),
            ("workflow.moved", b'{"source": "created", "target": "x", "reason": ""}', 1, "target"),
            ("workflow.moved", b"\xff", 1, "DamagedEventError"),
            ("step.started", b"[]", 1, "DamagedEventError"),
            ("step.started", b'{"step": 7}', 1, "DamagedEventError"),
            ("workflow.vanished", b"{}", 1, "UnknownKindError"),
            ("workflow.moved", b"{}", 9, "UnknownSchemaVersionError"),
            ("artifact.attached", b"{}", 9, "UnknownSchemaVersionError"),
        ],
    )
    async def test_it_is_parked_alone_with_its_reason(
        self, store, postgres, projector, read_model, catch_up, kind, data, schema, reason
    ):
        await store.append(WorkflowCreated(workflow_id="good"))
        await store.append(WorkflowCreated(workflow_id="ill"))
        await self.put(postgres, "ill", 2, kind, data, schema)
        await self.put(postgres, "ill", 3, "workflow.completed", b"{}")
        await self.put(postgres, "good", 2, "workflow.paused", b'{"reason": ""}')
        taken = await catch_up(projector, 1)
        assert [len(folded.parked) for folded in taken] == [0, 0, 1, 0, 0]
        [parked] = await read_model.parked()
        assert (parked.workflow_id, parked.position) == ("ill", 3)
        assert reason in parked.reason
        good, ill = (await read_model.search(EVERYTHING)).workflows
        assert (good.paused, good.version) == (True, 2)
        assert (ill.status, ill.version) == ("created", 1)
        assert await read_model.position() == 5

    async def test_one_whose_first_event_cannot_be_read_is_in_no_list(
        self, store, postgres, projector, read_model, catch_up
    ):
        await store.append(WorkflowCreated(workflow_id="good"))
        await self.put(postgres, "ill", 1, "workflow.created")
        await catch_up(projector)
        assert [one.workflow_id for one in await read_model.parked()] == ["ill"]
        assert len((await read_model.search(EVERYTHING)).workflows) == 1

    async def test_another_projector_leaves_it_parked(
        self, store, postgres, runtime_postgres, projector, read_model, catch_up
    ):
        await store.append(WorkflowCreated(workflow_id="ill"))
        await self.put(postgres, "ill", 2)
        await catch_up(projector)
        await self.put(postgres, "ill", 3, "workflow.completed", b"{}")
        [folded] = await catch_up(PostgresProjector(runtime_postgres))
        assert folded.parked == []
        assert (await read_model.search(EVERYTHING)).workflows[0].version == 1

    async def test_a_rebuild_tries_it_again(
        self, store, postgres, runtime_postgres, read_model, catch_up
    ):
        kinds = {name: cls for name, cls in KINDS.items() if name != "workflow.paused"}
        older = PostgresProjector(runtime_postgres, SummaryFold(EventCodec(kinds)))
        await store.append(WorkflowCreated(workflow_id="a"))
        await self.put(postgres, "a", 2, "workflow.paused", b'{"reason": ""}')
        await catch_up(older)
        assert [one.position for one in await read_model.parked()] == [2]
        await PostgresProjector(runtime_postgres).rebuild()
        assert await read_model.parked() == []
        assert (await read_model.search(EVERYTHING)).workflows[0].paused

    async def test_it_is_told_once(self, store, postgres, projector, read_model, running, capsys):
        condition = ReadModelCondition()
        await store.append(WorkflowCreated(workflow_id="ill"))
        await self.put(postgres, "ill", 2)
        await self.put(postgres, "ill", 3)
        part = WorkflowProjector(projector, condition=condition, poll_s=0.01)
        async with running(part):
            assert await read_model.wait_until(3, timeout_s=20)
        assert condition.parked == 1
        assert capsys.readouterr().out.count("workflow_parked") == 1


class TestPart:
    """The part of an instance that follows."""

    async def test_a_list_shows_what_was_just_appended_once_it_was_waited_for(
        self, store, projector, read_model, running
    ):
        part = WorkflowProjector(projector, appended=store.appended, poll_s=60)
        async with running(part):
            for version, (source, target) in enumerate(
                [("created", "validated"), ("validated", "scheduled")], start=1
            ):
                if version == 1:
                    await store.append(WorkflowCreated(workflow_id="a"))
                event = await store.append(
                    WorkflowMoved(
                        workflow_id="a", version=version + 1, source=source, target=target
                    )
                )
                assert await read_model.wait_until(event.position, timeout_s=20)
                [found] = (await read_model.search(EVERYTHING)).workflows
                assert found.status == target

    async def test_it_goes_on_once_the_database_is_back(
        self, store, projector, postgres, read_model, running, history, append, same_as_the_events
    ):
        async with running(WorkflowProjector(projector, poll_s=0.01, batch=5)):
            for event in history(120, 10):
                await store.append(event)
                if event.version == 3:
                    await postgres.pool.execute(
                        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                           WHERE datname = current_database() AND pid <> pg_backend_pid()
                             AND query LIKE '%workflow_generation%'"""
                    )
            assert await read_model.wait_until(120, timeout_s=30)
        await same_as_the_events(read_model, store)

    async def test_it_keeps_states_of_long_workflows(self, store, projector, read_model, running):
        snapshots = MemorySnapshots()
        await store.append(WorkflowCreated(workflow_id="long"))
        keeper = SnapshotKeeper(store, snapshots)
        async with running(WorkflowProjector(projector, keeper, poll_s=0.01)):
            for version in range(2, 402):
                status = ("created", "validated")[version % 2]
                await store.append(
                    WorkflowMoved(
                        workflow_id="long", version=version, source=status, target="validated"
                    )
                )
            assert await read_model.wait_until(401, timeout_s=20)
        assert sorted(version for _, _, version in snapshots.states) == [200, 400]

    async def test_it_stops_between_two_batches_of_a_long_way(
        self, store, projector, read_model, history, append, catch_up, same_as_the_events
    ):
        class StopsIt:
            async def advance(self, limit):
                folded = await projector.advance(limit)
                if folded.position == 30:
                    part.stop()
                return folded

            async def look_after(self):
                return await projector.look_after()

        await append(store, history(200, 10))
        part = WorkflowProjector(StopsIt(), batch=10)
        await part.run()
        assert await read_model.position() == 30
        await catch_up(projector)
        await same_as_the_events(read_model, store)


def test_a_listener_that_is_gone_is_heard_no_more():
    """The part leaves nothing behind in the store's list of listeners."""

    async def run_once():
        listeners = Listeners()

        class Idle:
            async def advance(self, limit):
                return None

            async def look_after(self):
                part.stop()

        part = WorkflowProjector(Idle(), appended=listeners)
        await part.run()
        return list(listeners)

    assert asyncio.run(run_once()) == []


async def test_the_role_that_serves_needs_no_more_than_rows(runtime_postgres):
    for statement in (
        "TRUNCATE workflow_summary",
        "DROP TABLE workflow_interval",
        "UPDATE workflow_interval SET to_position = 9",
        "CREATE INDEX ON workflow_summary (name)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime_postgres.pool.execute(statement)

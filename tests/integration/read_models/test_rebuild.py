"""Read models are filled anew beside those that answer, and swapped without a moment between."""

from __future__ import annotations

import asyncio
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest

from aetherops.bootstrap.workflow import rebuild_read_models
from aetherops.errors import InvalidInputError
from aetherops.parts.workflow_projector import WorkflowProjector
from aetherops.runtime.data_dir.instance import NotRunningError
from aetherops.runtime.embedded.postgres import running_dsn
from aetherops.runtime.migrate import SchemaOutdatedError
from aetherops.runtime.settings import Settings
from aetherops.workflow import KINDS, EventCodec
from aetherops.workflow.read_models.fold import SummaryFold
from aetherops.workflow.read_models.ports import WorkflowQuery
from aetherops.workflow.read_models.postgres import (
    GenerationFiller,
    Generations,
    PostgresProjector,
)

EVERYTHING = WorkflowQuery()

REBUILD = """
import asyncio, sys
from aetherops.connections.postgres import Postgres
from aetherops.workflow.read_models.fold import SummaryFold
from aetherops.workflow.read_models.postgres import GenerationFiller, Generations

async def main():
    async with Postgres.connect(sys.argv[1]) as postgres:
        fold = SummaryFold()
        generation = await Generations(postgres).begin(fold.version)
        filler = GenerationFiller(postgres, fold, generation)
        while (folded := await filler.step(50)) is not None:
            print(folded.position, flush=True)
asyncio.run(main())
"""


async def rows_of_generations(postgres):
    return dict(
        await postgres.pool.fetch(
            """SELECT generation, count(*) FROM workflow_summary GROUP BY generation"""
        )
    )


async def test_it_gives_the_same_and_leaves_nothing_behind(
    store, history, append, projector, postgres, read_model, catch_up, same_as_the_events
):
    await append(store, history(500, 30))
    await catch_up(projector)
    [before] = await rows_of_generations(postgres)
    told = []
    done = await projector.rebuild(told.append)
    assert (done.is_finished, done.position, told) == (True, 500, [500])
    [after] = await rows_of_generations(postgres)
    assert after > before
    assert await postgres.pool.fetchval("SELECT count(*) FROM workflow_generation") == 1
    intervals = await postgres.pool.fetch("SELECT DISTINCT generation FROM workflow_interval")
    assert [row[0] for row in intervals] == [after]
    await same_as_the_events(read_model, store)


async def test_rows_that_were_spoilt_are_right_again(
    store, history, append, projector, postgres, read_model, catch_up, same_as_the_events
):
    await append(store, history(200, 10))
    await catch_up(projector)
    await postgres.pool.execute("UPDATE workflow_summary SET status = 'failed', version = 7")
    await postgres.pool.execute("DELETE FROM workflow_interval WHERE from_position < 50")
    await projector.rebuild()
    await same_as_the_events(read_model, store)


async def test_it_is_asked_for_by_the_address_of_a_database(
    store, history, append, postgres, runtime_dsn, read_model, same_as_the_events, tmp_path
):
    await append(store, history(100, 10))
    settings, told = Settings(postgres_dsn=runtime_dsn), []
    done = await rebuild_read_models(settings, lambda position, last: told.append((position, last)))
    assert (done.position, told) == (100, [(100, 100)])
    await same_as_the_events(read_model, store)
    with pytest.raises(NotRunningError):
        await rebuild_read_models(Settings(data_dir=tmp_path))
    with pytest.raises(InvalidInputError, match="postgres_dsn"):
        running_dsn(tmp_path / "postgres")


async def test_a_database_that_lacks_migrations_is_told_so(postgres_dsn):
    empty = urlunsplit(urlsplit(postgres_dsn)._replace(path="/postgres"))
    with pytest.raises(SchemaOutdatedError):
        await rebuild_read_models(Settings(postgres_dsn=empty))


async def test_answers_never_go_back_while_it_runs_under_writes(
    store, history, append, projector, runtime_postgres, read_model, same_as_the_events
):
    events = history(900, 40)
    await append(store, events[:300])
    is_done = asyncio.Event()

    async def write():
        for event in events[300:]:
            await store.append(event)

    async def ask():
        positions, counts = [0], [0]
        while not is_done.is_set():
            page = await read_model.search(EVERYTHING, first=1000)
            positions.append(page.position)
            counts.append(len(page.workflows))
            await asyncio.sleep(0)
        assert positions == sorted(positions)
        assert counts == sorted(counts)
        return len(positions)

    async def rebuild_thrice():
        for _ in range(3):
            await PostgresProjector(runtime_postgres).rebuild()

    part = WorkflowProjector(projector, poll_s=0.005)
    running, asking = asyncio.create_task(part.run()), asyncio.create_task(ask())
    await asyncio.gather(write(), rebuild_thrice())
    assert await read_model.wait_until(900, timeout_s=30)
    is_done.set()
    assert await asking > 10
    part.stop()
    await running
    await same_as_the_events(read_model, store)


@pytest.mark.chaos
async def test_one_that_is_killed_is_gone_on_with(
    store,
    history,
    append,
    projector,
    postgres,
    runtime_postgres,
    runtime_dsn,
    read_model,
    catch_up,
    same_as_the_events,
):
    await append(store, history(700, 30))
    await catch_up(projector)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", REBUILD, runtime_dsn, stdout=asyncio.subprocess.PIPE
    )
    for _ in range(3):
        await process.stdout.readline()
    process.kill()
    await process.wait()
    left = await Generations(runtime_postgres).being_filled(SummaryFold().version)
    assert 150 <= left.position < 700
    # Another process finds it, as soon as it is sure that nobody is at it.
    other = PostgresProjector(runtime_postgres, abandoned_after_s=0)
    steps = []
    while (step := await other.look_after()) is not None:
        steps.append(step)
    assert any(step.is_finished for step in steps)
    assert (await Generations(runtime_postgres).living()).number == left.number
    assert list(await rows_of_generations(postgres)) == [left.number]
    await same_as_the_events(read_model, store)


async def test_two_at_once_end_with_one_that_answers(
    store,
    history,
    append,
    projector,
    postgres,
    runtime_postgres,
    read_model,
    catch_up,
    same_as_the_events,
):
    await append(store, history(400, 20))
    await catch_up(projector)
    await asyncio.gather(*(PostgresProjector(runtime_postgres).rebuild() for _ in range(2)))
    while await projector.look_after() is not None:
        pass
    assert len(await rows_of_generations(postgres)) == 1
    await same_as_the_events(read_model, store)


async def test_a_generation_that_is_behind_does_not_take_the_place(
    store, history, append, projector, runtime_postgres, catch_up
):
    await append(store, history(100, 10))
    await catch_up(projector)
    generations, fold = Generations(runtime_postgres), SummaryFold()
    filler = GenerationFiller(runtime_postgres, fold, await generations.begin(fold.version))
    await filler.step(50)
    living = await generations.living()
    assert not await generations.swap(living, filler.generation)
    assert await generations.living() == living
    await filler.step(50)
    assert await generations.swap(living, filler.generation)
    # Whoever filled the one of before notices, and takes the new one up.
    assert await projector.advance(10) is None


class TestVersions:
    """A program fills what is of its own version."""

    @pytest.fixture
    def older(self, runtime_postgres):
        """A program that does not know one of the kinds."""
        kinds = {name: cls for name, cls in KINDS.items() if name != "artifact.attached"}
        return PostgresProjector(runtime_postgres, SummaryFold(EventCodec(kinds)))

    async def test_a_newer_program_fills_them_anew_by_itself(
        self, store, history, append, older, projector, read_model, catch_up, same_as_the_events
    ):
        await append(store, history(300, 20))
        await catch_up(older)
        assert await projector.advance(100) is None
        assert len(await read_model.parked()) > 0  # those of before answer meanwhile
        steps = []
        while (step := await projector.look_after()) is not None:
            steps.append(step)
        assert any(step.is_finished for step in steps)
        assert list(await read_model.parked()) == []
        await same_as_the_events(read_model, store)

    async def test_an_older_program_leaves_them_alone(
        self, store, history, append, older, projector, read_model, catch_up
    ):
        await append(store, history(100, 10))
        await catch_up(projector)
        await append(store, history(120, 10)[100:])
        assert await older.advance(100) is None
        assert await older.look_after() is None
        with pytest.raises(InvalidInputError, match="newer version"):
            await older.rebuild()
        assert await read_model.position() == 100

    async def test_what_an_older_one_never_finished_is_removed(
        self, store, history, append, older, projector, postgres, runtime_postgres, catch_up
    ):
        await append(store, history(100, 10))
        await catch_up(older)
        fold = SummaryFold(EventCodec({"workflow.created": KINDS["workflow.created"]}))
        generations = Generations(runtime_postgres)
        unfinished = GenerationFiller(runtime_postgres, fold, await generations.begin(fold.version))
        await unfinished.step(10)
        while await projector.look_after() is not None:
            pass
        living = await generations.living()
        assert list(await rows_of_generations(postgres)) == [living.number]
        assert await unfinished.step(10) is None


def test_the_version_grows_with_each_kind_and_each_schema_version():
    fewer = {name: cls for name, cls in KINDS.items() if name != "timer.set"}
    assert SummaryFold(EventCodec(fewer)).version < SummaryFold().version

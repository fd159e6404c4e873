"""Many files into a store: reported one by one, resumable, compared with what is stored."""

from __future__ import annotations

import asyncio
import json
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aetherops.errors import UnavailableError
from aetherops.workflow import (
    FencedError,
    MemoryEventStore,
    MissionPipeline,
    SnapshotTaken,
    UnknownBeforeMigrationError,
    WorkflowEngine,
    WorkflowEvent,
    WorkflowMoved,
    WorkflowProjection,
    require_known,
)
from aetherops.workflow.migration import (
    MigratedWorkflow,
    MigrationReport,
    Outcome,
    capture,
    migrate_all,
    migrate_captured,
)

CAPTURED, KNOWN, CAPTURABLE, REFUSED = Outcome


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """An engine, a mission, something else, and three workflows in one file."""
    engine, mission = WorkflowEngine(), MissionPipeline()
    engine.advance("validated")
    mission.advance()
    mission.attach_artifact("plan", {"burns": 2})
    contents = {
        "engine.pkl": pickle.dumps(engine),
        "mission.json": json.dumps(vars(mission)).encode(),
        "notes.txt": b"call the customer",
        "three.pkl": pickle.dumps({f"three-{i}": WorkflowEngine() for i in range(3)}),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in contents]


def outcomes(report: MigrationReport) -> list[Outcome]:
    return [one.outcome for one in report.workflows]


async def test_every_workflow_is_captured_and_what_cannot_be_is_reported(files: list[Path]) -> None:
    store = MemoryEventStore()
    report = await migrate_all(files, store, actor="ada")
    assert outcomes(report) == [CAPTURED, CAPTURED, REFUSED, CAPTURED, CAPTURED, CAPTURED]
    assert report.counts == {CAPTURED: 5, KNOWN: 0, CAPTURABLE: 0, REFUSED: 1}
    assert not report.ok
    [notes] = report.refused
    assert (notes.file, notes.workflow_id) == (str(files[2]), None)
    assert "expected a pickle of" in str(notes.reason)
    mission = report.workflows[1]
    assert (mission.workflow_id, mission.source, mission.status) == (
        "mission",
        "MissionPipeline",
        "validation",
    )
    [snapshot] = await store.get_events("mission")
    assert isinstance(snapshot, SnapshotTaken)
    assert (snapshot.version, snapshot.actor) == (1, "ada")


async def test_a_dry_run_stores_nothing_and_says_what_would_be(files: list[Path]) -> None:
    store = MemoryEventStore()
    await migrate_all(files[:1], store)
    report = await migrate_all(files, store, dry_run=True)
    assert report.dry_run
    assert outcomes(report) == [KNOWN, CAPTURABLE, REFUSED, CAPTURABLE, CAPTURABLE, CAPTURABLE]
    assert await store.last_position() == 1
    assert await store.fence("mission") == 1, "no epoch was begun either"


async def test_progress_is_told_with_each_workflow(files: list[Path]) -> None:
    told: list[tuple[MigratedWorkflow, int, int]] = []
    report = await migrate_all(
        files, MemoryEventStore(), progress=lambda *progress: told.append(progress)
    )
    assert [one for one, _, _ in told] == list(report.workflows)
    assert [(done, of) for _, done, of in told] == [(1, 4), (2, 4), (3, 4), (4, 4), (4, 4), (4, 4)]


class GivesUpAfter(MemoryEventStore):
    """A store that is away once it has taken so many appends."""

    def __init__(self, appends: int) -> None:
        super().__init__()
        self.appends = appends

    async def append_many(self, *args: Any, **kwargs: Any) -> list[WorkflowEvent]:
        if self.appends == 0:
            raise UnavailableError("store")
        self.appends -= 1
        return await super().append_many(*args, **kwargs)


@pytest.mark.parametrize("appends", range(5))
async def test_after_an_interruption_a_second_run_does_the_rest(
    files: list[Path], appends: int
) -> None:
    store = GivesUpAfter(appends)
    with pytest.raises(UnavailableError):
        await migrate_all(files, store)
    assert await store.last_position() == appends
    store.appends = 1_000
    report = await migrate_all(files, store)
    assert (report.counts[KNOWN], report.counts[CAPTURED]) == (appends, 5 - appends)
    assert await store.last_position() == 5, "each is captured once"


async def test_a_workflow_that_went_on_after_its_capture_is_known(files: list[Path]) -> None:
    store = MemoryEventStore()
    await migrate_all(files[:1], store)
    engine = await WorkflowEngine.open_async(store, "engine", create=False)
    assert await engine.advance_async("scheduled")
    report = await migrate_all(files[:1], store)
    assert outcomes(report) == [KNOWN]
    assert [event.version for event in await store.get_events("engine")] == [1, 2]


async def test_another_state_under_an_id_that_is_taken_is_refused(files: list[Path]) -> None:
    store = MemoryEventStore()
    await WorkflowEngine.open_async(store, "engine")
    await migrate_all(files[1:2], store)
    other = MissionPipeline()
    other.attach_artifact("plan", {"burns": 3})
    files[1].write_text(json.dumps(vars(other)))
    report = await migrate_all(files[:2], store)
    assert outcomes(report) == [REFUSED, REFUSED]
    for refused in report.refused:
        assert "an id without events, or with a snapshot of this state" in str(refused.reason)
    assert await store.last_position() == 2


async def test_of_two_files_of_one_workflow_the_first_counts(tmp_path: Path) -> None:
    moved = WorkflowEngine()
    moved.advance("cancelled")
    paths = [tmp_path / name for name in ("w.pkl", "w.pickle", "w.bin")]
    for path, engine in zip(paths, (WorkflowEngine(), WorkflowEngine(), moved), strict=True):
        path.write_bytes(pickle.dumps(engine))
    report = await migrate_all(paths, MemoryEventStore())
    assert outcomes(report) == [CAPTURED, KNOWN, REFUSED]


async def test_two_migrations_at_once_capture_each_workflow_once(files: list[Path]) -> None:
    store = MemoryEventStore()
    reports = await asyncio.gather(*(migrate_all(files, store) for _ in range(4)))
    assert await store.last_position() == 5
    assert sum(report.counts[CAPTURED] for report in reports) == 5
    assert (await migrate_all(files, store)).counts[KNOWN] == 5


class Paused(MemoryEventStore):
    """A store whose first append waits on the way: its program was paused."""

    def __init__(self) -> None:
        super().__init__()
        self.on_the_way, self.go_on = asyncio.Event(), asyncio.Event()

    async def append_many(self, *args: Any, **kwargs: Any) -> list[WorkflowEvent]:
        if not self.on_the_way.is_set():
            self.on_the_way.set()
            await self.go_on.wait()
        return await super().append_many(*args, **kwargs)


async def test_who_begins_a_capture_ends_the_epoch_of_who_was_at_it() -> None:
    store, captured = Paused(), capture(WorkflowEngine(), "w")
    paused = asyncio.create_task(migrate_captured(captured, store))
    await store.on_the_way.wait()
    assert await store.fence("w") == 2  # somebody else holds the workflow now
    store.go_on.set()
    with pytest.raises(FencedError):
        await paused
    assert await store.get_events("w") == []


async def test_a_snapshot_larger_than_an_event_is_refused_in_the_dry_run_too(
    tmp_path: Path,
) -> None:
    mission = MissionPipeline()
    mission.attach_artifact("plan", ["\x00" * 300_000])  # as JSON each takes six bytes
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(mission))
    for dry_run in (True, False):
        store = MemoryEventStore()
        report = await migrate_all([tmp_path / "w.pkl"], store, dry_run=dry_run)
        assert "bytes in the payload of an event" in str(report.workflows[0].reason)
        assert await store.last_position() == 0


async def test_instants_before_the_snapshot_are_unknown_before_the_migration(
    files: list[Path],
) -> None:
    store = MemoryEventStore()
    await migrate_all(files, store)
    events = await store.get_events("engine")
    before = datetime.now(UTC) - timedelta(days=1)
    with pytest.raises(UnknownBeforeMigrationError, match="unknown before the migration"):
        require_known(events, before)
    require_known(events, datetime.now(UTC) + timedelta(seconds=1))
    assert WorkflowProjection.of(events).known_since == events[0].occurred_at


async def test_events_of_any_kind_follow_the_snapshot(files: list[Path]) -> None:
    store = MemoryEventStore()
    await migrate_all(files[:1], store)
    await store.append(
        WorkflowMoved(workflow_id="engine", version=2, source="validated", target="scheduled")
    )
    state = WorkflowProjection.of(await store.get_events("engine"))
    assert state.history == ("created", "validated", "scheduled")
    assert state.irregular == ()

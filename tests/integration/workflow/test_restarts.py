"""Workflows on PostgreSQL across restarts of the service: killed, opened anew, at two places."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aetherops.connections.postgres import Postgres
from aetherops.workflow import (
    STAGES,
    ConcurrencyError,
    MissionPipeline,
    SnapshotTaken,
    UnknownBeforeMigrationError,
    WorkflowCreated,
    WorkflowEngine,
    WorkflowProjection,
    in_background,
    require_known,
    run_in_background,
)
from aetherops.workflow.migration import Outcome, migrate_all, move_to_store
from aetherops.workflow.postgres.store import PostgresEventStore

pytestmark = pytest.mark.integration

# A service that takes orders from its input, one a line, and answers each with what it knows then.
SERVICE = """
import json, sys
from aetherops.connections.postgres import Postgres
from aetherops.workflow import MissionPipeline, WorkflowEngine, in_background
from aetherops.workflow.postgres.store import PostgresEventStore

with in_background(Postgres.connect(sys.argv[1])) as postgres:
    store, opened = PostgresEventStore(postgres), {}
    for line in sys.stdin:
        cls, workflow_id, method, *arguments = json.loads(line)
        if workflow_id not in opened:
            opened[workflow_id] = {"engine": WorkflowEngine, "mission": MissionPipeline}[cls].open(
                store, workflow_id)
        workflow = opened[workflow_id]
        answer = getattr(workflow, method)(*arguments)
        told = {"answer": answer, "version": workflow.version}
        if cls == "engine":
            told |= {"state": workflow.state, "history": workflow.history}
        else:
            told |= {"stage": workflow.current_stage(), "completed": workflow.completed_stages,
                     "artifacts": workflow.artifacts, "log": workflow.transition_log()}
        print(json.dumps(told), flush=True)
"""


class Service:
    """A process with the workflows of a database."""

    def __init__(self, dsn: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVICE, dsn],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def kill(self) -> None:
        """As `kill -9` does: nothing of it has a last word."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def store(runtime_dsn: str) -> Iterator[PostgresEventStore]:
    """As the role that serves has it, on the loop of blocking calls."""
    with in_background(Postgres.connect(runtime_dsn)) as postgres:
        yield PostgresEventStore(postgres)


def test_integration_tests_verifying_state_consistency_across_service_restarts(
    runtime_dsn: str, store: PostgresEventStore
) -> None:
    """After every kill the next service knows exactly what the one before had answered."""
    engine_moves = ["validated", "scheduled", "in-progress", "review", "approved", "executing"]
    for number, target in enumerate(engine_moves, 1):
        service = Service(runtime_dsn)
        moved = service.ask("engine", "w", "advance", target)
        assert (moved["answer"], moved["state"], moved["version"]) == (True, target, number + 1)
        staged = service.ask("mission", "m", "advance" if number != 4 else "rollback")
        attached = service.ask("mission", "m", "attach_artifact", f"run {number}", [number])
        service.kill()
        successor = Service(runtime_dsn)
        again = successor.ask("engine", "w", "advance", target)
        assert again == {**moved, "answer": False}, "it is there already"
        known = successor.ask("mission", "m", "is_complete")
        assert known == {**attached, "answer": False}
        assert known["stage"] == staged["answer"]
        successor.kill()
    events = run_in_background(store.get_events("w"))
    state = WorkflowProjection.of(events)
    assert list(state.history) == ["created", *engine_moves]
    assert state.irregular == ()
    mission = WorkflowProjection.of(run_in_background(store.get_events("m")))
    assert mission.artifacts == {f"run {number}": [number] for number in range(1, 7)}
    assert STAGES[mission.stage_index] == "monitoring"


def test_services_beside_each_other_agree_on_one_history(
    runtime_dsn: str, store: PostgresEventStore
) -> None:
    one, other = Service(runtime_dsn), Service(runtime_dsn)
    try:
        assert one.ask("engine", "w", "advance", "validated")["answer"] is True
        assert other.ask("engine", "w", "advance", "validated")["answer"] is False
        assert other.ask("engine", "w", "advance", "scheduled")["answer"] is True
        late = one.ask("engine", "w", "advance", "cancelled")
        assert (late["answer"], late["history"]) == (
            True,
            ["created", "validated", "scheduled", "cancelled"],
        )
    finally:
        one.kill()
        other.kill()
    assert [event.version for event in run_in_background(store.get_events("w"))] == [1, 2, 3, 4]


def test_a_mission_moved_by_another_is_moved_on_purpose_only(store: PostgresEventStore) -> None:
    one, other = MissionPipeline.open(store, "m"), MissionPipeline.open(store, "m")
    one.advance()
    with pytest.raises(ConcurrencyError):
        other.advance()
    assert other.current_stage() == "validation"


def test_backward_compatibility_existing_workflows_snapshot_current_state_new_workflows_are_fully_event_sourced(  # noqa: E501
    runtime_dsn: str, store: PostgresEventStore, tmp_path: Path
) -> None:
    existing, in_a_file = MissionPipeline(), WorkflowEngine()
    existing.advance()
    existing.attach_artifact("plan", {"burns": 2})
    in_a_file.advance("validated")
    (tmp_path / "filed.pkl").write_bytes(pickle.dumps(in_a_file))

    assert move_to_store(existing, store, "living") is Outcome.CAPTURED
    assert run_in_background(migrate_all([tmp_path / "filed.pkl"], store)).ok
    assert existing.advance() == "preparation"
    new = WorkflowEngine.open(store, "new")
    assert new.advance("validated")

    service = Service(runtime_dsn)
    living = service.ask("mission", "living", "advance")
    filed = service.ask("engine", "filed", "advance", "scheduled")
    assert service.ask("engine", "new", "advance", "scheduled")["answer"] is True
    service.kill()
    assert living["log"] == ["planning", "validation", "preparation"]
    assert living["artifacts"] == {"plan": {"burns": 2}}
    assert filed["history"] == ["created", "validated", "scheduled"]
    for workflow_id, first, versions in (
        ("living", SnapshotTaken, [1, 2, 3]),
        ("filed", SnapshotTaken, [1, 2]),
        ("new", WorkflowCreated, [1, 2, 3]),
    ):
        events = run_in_background(store.get_events(workflow_id))
        assert type(events[0]) is first
        assert [event.version for event in events] == versions


def test_snapshot_events_capture_migration_time_workflow_state(
    store: PostgresEventStore, tmp_path: Path
) -> None:
    """All of it, as it was at that time; what came before that time stays unknown."""
    mission, engine = MissionPipeline(), WorkflowEngine()
    for move in (mission.advance, mission.advance, mission.rollback, mission.advance):
        move()
    mission.attach_artifact("plan", {"burns": [1, 2.5, None, True, "ü"]})
    engine.advance("validated")
    engine.advance("failed")
    (tmp_path / "both.pkl").write_bytes(pickle.dumps({"m": mission, "w": engine}))
    run_in_background(migrate_all([tmp_path / "both.pkl"], store, actor="ada"))

    [of_mission] = run_in_background(store.get_events("m"))
    [of_engine] = run_in_background(store.get_events("w"))
    assert isinstance(of_mission, SnapshotTaken)
    assert (of_mission.version, of_mission.source, of_mission.actor) == (
        1,
        "MissionPipeline",
        "ada",
    )
    state = WorkflowProjection.of([of_mission])
    assert state.stage_index == mission.stage_index
    assert list(state.completed_stages) == mission.completed_stages
    assert list(state.stage_log) == mission.transition_log()
    assert state.artifacts == mission.artifacts
    assert WorkflowProjection.of([of_engine]).history == tuple(engine.history)
    assert of_engine.recorded_at is not None
    with pytest.raises(UnknownBeforeMigrationError):
        require_known([of_engine], of_engine.recorded_at.replace(year=2025))


# Migrates a file, and says so after each workflow.
MIGRATION = """
import sys
from aetherops.connections.postgres import Postgres
from aetherops.workflow import in_background, run_in_background
from aetherops.workflow.migration import migrate_all
from aetherops.workflow.postgres.store import PostgresEventStore

with in_background(Postgres.connect(sys.argv[1])) as postgres:
    run_in_background(migrate_all(
        [sys.argv[2]], PostgresEventStore(postgres), progress=lambda *_: print("one", flush=True)))
"""


@pytest.mark.chaos
def test_a_migration_that_was_killed_goes_on_where_it_was(
    runtime_dsn: str, store: PostgresEventStore, tmp_path: Path
) -> None:
    count = 2_000
    file = tmp_path / "all.pkl"
    file.write_bytes(pickle.dumps({f"w{number}": WorkflowEngine() for number in range(count)}))
    for _ in range(3):
        command = [sys.executable, "-c", MIGRATION, runtime_dsn, str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "one\n"
            process.kill()
    stored = run_in_background(store.last_position())
    assert 0 < stored < count, "it was killed on the way"
    report = run_in_background(migrate_all([file], store))
    assert report.ok
    # What was on its way to the server when its process was killed may have arrived since.
    assert report.counts[Outcome.KNOWN] >= stored
    assert report.counts[Outcome.KNOWN] + report.counts[Outcome.CAPTURED] == count
    assert run_in_background(store.last_position()) == count

"""A store of events on PostgreSQL, what reads it, and histories to put into it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from aetherops.connections.postgres import Postgres
from aetherops.workflow import (
    STAGES,
    TRANSITIONS,
    ApprovalGranted,
    ApprovalRequested,
    ArtifactAttached,
    EventStore,
    OwnerAssigned,
    SnapshotTaken,
    StageAdvanced,
    StageRolledBack,
    StepCompleted,
    StepFailed,
    StepStarted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowCreated,
    WorkflowEvent,
    WorkflowFailed,
    WorkflowMoved,
    WorkflowPaused,
    WorkflowProjection,
    WorkflowResumed,
    WorkflowState,
    state_to_json,
)
from aetherops.workflow.postgres import PostgresEventStore
from aetherops.workflow.read_models.memory import MemoryReadModel
from aetherops.workflow.read_models.ports import WorkflowFacts, WorkflowQuery
from aetherops.workflow.read_models.postgres import PostgresProjector, PostgresReadModel

OWNERS = ("ada", "grace", "kātherine", None)
NAMES = ("orbit-raise", "Conjunction", "STRAẞE", "downlink", "safe_mode")
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
ENDS = {"completed": WorkflowCompleted, "failed": WorkflowFailed, "cancelled": WorkflowCancelled}


@pytest.fixture
def store(runtime_postgres: Postgres) -> EventStore:
    """An event store on this test's own database, as the role that serves has it."""
    return PostgresEventStore(runtime_postgres)


@pytest.fixture
def projector(runtime_postgres: Postgres) -> PostgresProjector:
    """Fills the read models, as the role that serves."""
    return PostgresProjector(runtime_postgres)


@pytest.fixture
def read_model(runtime_postgres: Postgres) -> PostgresReadModel:
    """Answers from them, as the role that serves."""
    return PostgresReadModel(runtime_postgres)


@pytest.fixture
def history() -> Callable[..., list[WorkflowEvent]]:
    """Makes histories: `history(events, workflows, seed)`."""
    return make_history


def make_history(events: int, workflows: int, seed: int = 0) -> list[WorkflowEvent]:
    """Events of workflows in turn, all of them allowed, drawn with a seed."""
    rng = random.Random(seed)
    folds: dict[str, WorkflowProjection] = {}
    made: list[WorkflowEvent] = []
    while len(made) < events:
        name = f"w-{rng.randrange(workflows):04}"
        state = folds[name].state if name in folds else None
        at = BEGIN + timedelta(seconds=len(made))
        event = _first(name, at, rng) if state is None else _next(state, at, rng)
        if event is not None:
            folds.setdefault(name, WorkflowProjection()).apply(event)
            made.append(event)
    return made


def _first(name: str, at: datetime, rng: random.Random) -> WorkflowEvent:
    owner, kind = rng.choice(OWNERS), rng.choice(NAMES)
    if rng.random() < 0.1:
        state = WorkflowState(
            name,
            name=kind,
            owner=owner,
            status="review",
            history=("created", "validated", "scheduled", "in-progress", "review"),
            created_at=BEGIN - timedelta(days=3),
        )
        return SnapshotTaken(workflow_id=name, state=state_to_json(state), occurred_at=at)
    form = "mission" if rng.random() < 0.2 else "workflow"
    return WorkflowCreated(workflow_id=name, name=kind, owner=owner, form=form, occurred_at=at)


def _next(state: WorkflowState, at: datetime, rng: random.Random) -> WorkflowEvent | None:
    made = {
        "workflow_id": state.workflow_id,
        "version": state.version + 1,
        "occurred_at": at,
        "actor": rng.choice(("ada", "platform")),
    }
    running = [one.name for one in state.steps.values() if one.status == "running"]
    choice = rng.random()
    if state.is_done:
        return ArtifactAttached(key="report", value=len(made), **made) if choice < 0.1 else None
    if choice < 0.15:
        return _moved(state, made, rng)
    if choice < 0.22:
        return OwnerAssigned(owner=rng.choice(OWNERS[:3]), **made)
    if choice < 0.3:
        return (WorkflowResumed if state.paused else WorkflowPaused)(**made)
    if choice < 0.4:
        asked = [one.name for one in state.approvals.values() if one.status == "requested"]
        if asked:
            return ApprovalGranted(approval=asked[0], **made)
        return ApprovalRequested(approval=f"go-{rng.randrange(3)}", **made)
    if running and choice < 0.7:
        kind = StepCompleted if rng.random() < 0.7 else StepFailed
        attempt = state.steps[running[0]].attempts[-1].number
        return kind(step=running[0], attempt=attempt, **made)
    if choice < 0.95:
        return _step(state, made, rng)
    return ArtifactAttached(key="log", value={"at": state.version}, **made)


def _moved(state: WorkflowState, made: dict, rng: random.Random) -> WorkflowEvent | None:
    if state.form == "mission":
        at = state.stage_index
        if at and rng.random() < 0.2:
            return StageRolledBack(source=STAGES[at], target=STAGES[at - 1], **made)
        if at + 1 < len(STAGES):
            return StageAdvanced(source=STAGES[at], target=STAGES[at + 1], **made)
        return None
    target = rng.choice(TRANSITIONS[state.status])
    if target in ENDS:
        return ENDS[target](**made)
    return WorkflowMoved(source=state.status, target=target, **made)


def _step(state: WorkflowState, made: dict, rng: random.Random) -> WorkflowEvent | None:
    step = f"step-{rng.randrange(6)}"
    known = state.steps.get(step)
    if state.paused or (known is not None and known.status != "failed"):
        return None
    attempt = len(known.attempts) + 1 if known else 1
    return StepStarted(step=step, attempt=attempt, **made)


@pytest.fixture
def append() -> Callable:
    """Appends events one by one, each as its own append."""

    async def append_all(store: EventStore, events: Sequence[WorkflowEvent]) -> None:
        for event in events:
            await store.append(event)

    return append_all


@pytest.fixture
def catch_up() -> Callable:
    """Lets a projector take in everything there is; returns what it folded."""

    async def advance(projector: PostgresProjector, batch: int = 100) -> list:
        taken = []
        while (folded := await projector.advance(batch)) is not None:
            taken.append(folded)
        return taken

    return advance


@pytest.fixture
def same_as_the_events() -> Callable:
    """Asserts that a read model says at every one of some positions what the events say."""

    async def compare(read_model: PostgresReadModel, store: EventStore, looks: int = 5) -> None:
        truth, last = MemoryReadModel(store), await store.last_position()
        everything = WorkflowQuery()
        assert await read_model.search(everything, first=1000) == await truth.search(
            everything, first=1000
        )
        for position in range(last, 0, -max(1, last // looks)):
            found = await read_model.facts_at(position)
            assert _by_id(found) == _by_id(await truth.facts_at(position))

    return compare


def _by_id(found: Sequence[WorkflowFacts]) -> dict[str, WorkflowFacts]:
    """By id, each there once."""
    by_id = {one.workflow_id: one for one in found}
    assert len(by_id) == len(found)
    return by_id

"""Many workflows into an event store: each captured once, however often it is tried."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

from aetherops.errors import InvalidInputError, LimitExceededError, RefusedError
from aetherops.workflow.errors import ConcurrencyError, FencedError
from aetherops.workflow.events.base import WorkflowEvent
from aetherops.workflow.events.codec import EventCodec
from aetherops.workflow.events.kinds import SnapshotTaken
from aetherops.workflow.migration.capture import Captured
from aetherops.workflow.migration.dumps import read_dump_file
from aetherops.workflow.migration.report import (
    MigratedWorkflow,
    MigrationReport,
    Outcome,
    Progress,
)
from aetherops.workflow.projection.projection import WorkflowProjection
from aetherops.workflow.state import WorkflowState
from aetherops.workflow.states import STAGES

__all__ = ["SnapshotStore", "migrate_all", "migrate_captured"]

# So many at a time: a store that writes many appends in one commit is kept busy.
_WORKFLOWS_AT_ONCE = 64
_FILES_AT_ONCE = 16


class SnapshotStore(Protocol):
    """What a migration wants of an `EventStore`; the methods do what they do there."""

    async def get_events(self, workflow_id: str, *, until: int) -> list[WorkflowEvent]:
        """The events of a workflow up to a version."""
        ...

    async def append(
        self, event: SnapshotTaken, *, expected_version: int, epoch: int
    ) -> WorkflowEvent:
        """Store the first event of a workflow."""
        ...

    async def fence(self, workflow_id: str) -> int:
        """Begin the workflow's next epoch."""
        ...


async def migrate_all(
    files: Sequence[Path | str],
    store: SnapshotStore,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    actor: str = "system",
    artifacts_as_text: bool = False,
) -> MigrationReport:
    """Capture every workflow of these files as the first event of its history.

    What cannot be captured is reported, and the others go on. After an error of the store, or a
    kill, run it again: what was captured is found, compared, and left alone.

    Parameters
    ----------
    files : pickles and dumps; see `read_dump`.
    store : where they are to go on.
    dry_run : look, and store nothing.
    progress : hears of each workflow as it is done.
    actor : who migrates; stands in the snapshots.
    artifacts_as_text : keep the ``repr`` of an artifact that JSON cannot hold.

    Raises
    ------
    UnavailableError
        The store is away.
    """
    done: list[MigratedWorkflow] = []
    for start in range(0, len(files), _FILES_AT_ONCE):
        found = await asyncio.gather(
            *(
                _read(file, number, artifacts_as_text)
                for number, file in enumerate(files[start : start + _FILES_AT_ONCE], start + 1)
            )
        )
        for batch in _batches([one for of_file in found for one in of_file]):
            results = await asyncio.gather(
                *(_outcome(one, store, actor, dry_run) for one in batch), return_exceptions=True
            )
            for one, result in zip(batch, results, strict=True):
                if isinstance(result, BaseException):
                    raise result
                done.append(result)
                if progress:
                    progress(result, one.number, len(files))
    return MigrationReport(tuple(done), len(files), dry_run)


async def migrate_captured(
    captured: Captured, store: SnapshotStore, *, actor: str = "system"
) -> Outcome:
    """Store the snapshot of one workflow under an epoch of its own, read it back, and compare.

    Returns
    -------
    `Outcome.CAPTURED`, or `Outcome.KNOWN` where an earlier try had stored this very state.

    Raises
    ------
    InvalidInputError
        The workflow has other events, or what is read back gives another state.
    LimitExceededError
        The snapshot is larger than an event may be.
    ConcurrencyError, FencedError
        Another migration is at this workflow now.
    """
    if await _is_stored(captured, store):
        return Outcome.KNOWN
    # Whoever held the workflow before, another migration say, can append to it no more.
    epoch = await store.fence(captured.workflow_id)
    try:
        await store.append(captured.snapshot(actor), expected_version=0, epoch=epoch)
    except (ConcurrencyError, FencedError):
        if await _is_stored(captured, store):
            return Outcome.KNOWN
        raise
    if not await _is_stored(captured, store):
        raise InvalidInputError("stored events", 0, "the snapshot that was stored just now")
    return Outcome.CAPTURED


class _Found(NamedTuple):
    """A workflow in a file, or why the file cannot be read; and the how-manieth file it is."""

    file: str
    number: int
    captured: Captured | str


async def _read(file: Path | str, number: int, artifacts_as_text: bool) -> list[_Found]:
    try:
        workflows = await asyncio.to_thread(
            read_dump_file, Path(file), artifacts_as_text=artifacts_as_text
        )
    except (InvalidInputError, LimitExceededError) as error:
        return [_Found(str(file), number, str(error))]
    return [_Found(str(file), number, captured) for captured in workflows]


def _batches(found: Iterable[_Found]) -> Iterator[list[_Found]]:
    """So many at a time, and no workflow twice in one batch: the second is to meet the first."""
    batch: list[_Found] = []
    ids: set[str] = set()
    for one in found:
        workflow_id = "" if isinstance(one.captured, str) else one.captured.workflow_id
        if len(batch) == _WORKFLOWS_AT_ONCE or workflow_id in ids:
            yield batch
            batch, ids = [], set()
        batch.append(one)
        ids.add(workflow_id)
    if batch:
        yield batch


async def _outcome(
    found: _Found, store: SnapshotStore, actor: str, dry_run: bool
) -> MigratedWorkflow:
    captured = found.captured
    if isinstance(captured, str):
        return MigratedWorkflow(found.file, None, Outcome.REFUSED, reason=captured)
    state = captured.state
    told = MigratedWorkflow(
        found.file,
        captured.workflow_id,
        Outcome.REFUSED,
        captured.source,
        state.status if state.form == "workflow" else STAGES[state.stage_index],
        captured.as_text,
    )
    try:
        if dry_run:
            outcome = await _look(captured, store)
        else:
            outcome = await migrate_captured(captured, store, actor=actor)
    except (InvalidInputError, RefusedError) as error:
        return replace(told, reason=str(error))
    return replace(told, outcome=outcome)


async def _look(captured: Captured, store: SnapshotStore) -> Outcome:
    """What `migrate_captured` would do now."""
    EventCodec().encode(captured.snapshot())
    return Outcome.KNOWN if await _is_stored(captured, store) else Outcome.CAPTURABLE


async def _is_stored(captured: Captured, store: SnapshotStore) -> bool:
    """Whether the first event is a snapshot of this state; raises where it is anything else."""
    events = await store.get_events(captured.workflow_id, until=1)
    if not events:
        return False
    stored = WorkflowProjection.of(events)
    if isinstance(events[0], SnapshotTaken) and _content(stored) == _content(captured.state):
        return True
    raise InvalidInputError(
        "workflow_id",
        captured.workflow_id,
        "an id without events, or with a snapshot of this state",
    )


def _content(state: WorkflowState) -> WorkflowState:
    """The state apart from what only its events say: how many, and when they occurred."""
    return replace(state, version=0, created_at=None, updated_at=None, known_since=None)

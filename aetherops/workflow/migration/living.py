"""An object of a running program goes on in an event store, under every name that it has there."""

from __future__ import annotations

import asyncio
from typing import Unpack

from aetherops.errors import InvalidInputError
from aetherops.workflow.engine import WorkflowEngine
from aetherops.workflow.migration.bulk import migrate_captured
from aetherops.workflow.migration.capture import capture
from aetherops.workflow.migration.report import Outcome
from aetherops.workflow.pipeline import MissionPipeline
from aetherops.workflow.store import EventStore
from aetherops.workflow.stored.background import wait_for
from aetherops.workflow.stored.engine import StoredWorkflowEngine
from aetherops.workflow.stored.pipeline import StoredMissionPipeline
from aetherops.workflow.stored.session import OpenOptions, StoredWorkflow

__all__ = ["move_to_store", "move_to_store_async"]

_STORED: dict[type[object], type[StoredWorkflowEngine] | type[StoredMissionPipeline]] = {
    WorkflowEngine: StoredWorkflowEngine,
    MissionPipeline: StoredMissionPipeline,
}


def move_to_store(
    living: WorkflowEngine | MissionPipeline,
    store: EventStore,
    workflow_id: str,
    *,
    artifacts_as_text: bool = False,
    **options: Unpack[OpenOptions],
) -> Outcome:
    """Capture an object as the first event of its history; from then on it stands on the store.

    It stays the same object: whoever has it goes on with it, and every further move is an event.
    Meanwhile it can be read, and what would change it waits. Where this fails, it is as before.

    Parameters
    ----------
    living : of one of the two classes themselves, kept in memory alone.
    store : used on the background loop, as `WorkflowEngine.open` says.
    workflow_id : under which its events are kept.
    artifacts_as_text : keep the ``repr`` of an artifact that JSON cannot hold.
    options : name, owner, actor and epoch; see `OpenOptions`.

    Returns
    -------
    `Outcome.CAPTURED`, or `Outcome.KNOWN` where its file was captured before in this very state:
    then it goes on from where it is in the store.

    Raises
    ------
    EventLoopError
        This thread runs an event loop: await `move_to_store_async`.
    InvalidInputError, LimitExceededError, RefusedError
        As `capture` and `migrate_captured` say.
    UnavailableError
        The store is away.
    """
    return wait_for(
        _move(living, store, workflow_id, artifacts_as_text, options, None),
        None,
        "move_to_store()",
        "await move_to_store_async(…)",
    )


async def move_to_store_async(
    living: WorkflowEngine | MissionPipeline,
    store: EventStore,
    workflow_id: str,
    *,
    artifacts_as_text: bool = False,
    **options: Unpack[OpenOptions],
) -> Outcome:
    """The same as `move_to_store`, for a program that runs an event loop."""
    loop = asyncio.get_running_loop()
    return await _move(living, store, workflow_id, artifacts_as_text, options, loop)


async def _move(
    living: WorkflowEngine | MissionPipeline,
    store: EventStore,
    workflow_id: str,
    artifacts_as_text: bool,
    options: OpenOptions,
    loop: asyncio.AbstractEventLoop | None,
) -> Outcome:
    if type(living) not in _STORED:
        expected = "an object of WorkflowEngine or MissionPipeline itself, in memory"
        raise InvalidInputError("living", type(living).__name__, expected)
    captured = capture(
        living,
        workflow_id,
        name=options.get("name", "workflow"),
        owner=options.get("owner"),
        artifacts_as_text=artifacts_as_text,
    )
    actor = options.get("actor", "system")
    snapshot = captured.snapshot(actor)
    stored = StoredWorkflow(store, [snapshot], actor=actor, epoch=options.get("epoch"), loop=loop)
    cls, attributes = type(living), dict(vars(living))
    async with stored.arriving():
        _become(living, _STORED[cls], {"_stored": stored})
        try:
            outcome = await migrate_captured(captured, store, actor=actor)
            await stored.read_anew()
        except BaseException:
            _become(living, cls, attributes)
            raise
    return outcome


def _become(living: object, cls: type[object], attributes: dict[str, object]) -> None:
    """Another class and its attributes, in the order in which no reader misses one."""
    vars(living).update(attributes)
    living.__class__ = cls
    for name in vars(living).keys() - attributes.keys():
        del vars(living)[name]

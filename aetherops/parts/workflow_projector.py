"""The projector of workflows: takes their read models along with the events."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from aetherops.errors import AetherOpsError, UnavailableError
from aetherops.resilience import retry_backoff
from aetherops.runtime.part import Part, wait_for_event
from aetherops.services.read_model_condition import ReadModelCondition

if TYPE_CHECKING:
    from collections.abc import Callable

    from aetherops.events import Listeners
    from aetherops.workflow.read_models.fold import Folded
    from aetherops.workflow.read_models.projecting import Projector
    from aetherops.workflow.snapshots.reading import SnapshotKeeper

__all__ = ["WorkflowProjector"]

_log = structlog.get_logger(__name__)

_FIRST_RETRY_MS, _LAST_RETRY_MS = 100, 5_000
# What has to be done beside is looked for so often, and at once where there may be more of it.
_LOOK_AFTER_EVERY_S = 10.0


class WorkflowProjector(Part):
    """Folds what was appended into the read models; any number may run, in any processes.

    Each batch is one transaction with its checkpoint, so that none is taken in twice. A workflow
    with an event that cannot be read is parked alone, and told once.

    Parameters
    ----------
    projector : takes events in.
    keeper : keeps states of long workflows; none are kept where not given.
    appended : is heard for what this process appends; others' appends are found by looking.
    condition : is told how it fares.
    poll_s : seconds between two looks.
    batch : the most events in one transaction.
    clock_s : seconds since 1970, to tell how far it is behind.
    """

    runs_again = True

    def __init__(
        self,
        projector: Projector,
        keeper: SnapshotKeeper | None = None,
        appended: Listeners[int] | None = None,
        *,
        condition: ReadModelCondition | None = None,
        poll_s: float = 0.25,
        batch: int = 10_000,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._projector = projector
        self._keeper = keeper
        self._appended = appended
        self._condition = condition or ReadModelCondition()
        self._poll_s = poll_s
        self._batch = batch
        self._clock_s = clock_s
        self._woken = asyncio.Event()
        self._look_after_at = 0.0
        self._is_paused = False
        self._is_rebuilding = False

    async def run(self) -> None:
        """Work until `stop`; a database that is away is waited for."""
        loop = asyncio.get_running_loop()

        def wake(_: int) -> None:
            with suppress(RuntimeError):  # the loop has ended, and this part with it
                loop.call_soon_threadsafe(self._woken.set)

        if self._appended is not None:
            self._appended.add(wake)
        try:
            await self._work()
        finally:
            if self._appended is not None:
                self._appended.remove(wake)

    def stop(self) -> None:
        """Ask `run` to return once the batch in hand is taken in."""
        super().stop()
        self._woken.set()

    async def _work(self) -> None:
        failures = 0
        while not self.stopping:
            self._woken.clear()
            try:
                is_busy = await self._advance()
                is_busy = await self._look_after() or is_busy
                failures = 0
                self._resume()
            except UnavailableError as error:
                failures += 1
                if not self._is_paused:
                    self._is_paused = True
                    _log.warning("projection_paused", dependency=error.dependency)
                await self.pause(retry_backoff(failures, _FIRST_RETRY_MS, _LAST_RETRY_MS) / 1_000)
                continue
            if not is_busy and not self.stopping:
                await wait_for_event(self._woken, self._poll_s * random.uniform(0.8, 1.2))  # noqa: S311

    async def _advance(self) -> bool:
        """Take a batch in; whether another may be waiting."""
        folded = await self._projector.advance(self._batch)
        if folded is None:
            return False
        self._note(folded)
        for parked in folded.parked:
            _log.error(
                "workflow_parked",
                workflow=parked.workflow_id,
                position=parked.position,
                reason=parked.reason,
            )
        await self._keep_states(folded)
        return folded.count >= self._batch

    async def _keep_states(self, folded: Folded) -> None:
        """A shortcut for readers: what keeps it from being made keeps nothing else."""
        if self._keeper is None:
            return
        for workflow_id, version in folded.snapshots_due.items():
            try:
                await self._keeper.keep(workflow_id, version)
            except UnavailableError:
                raise
            except AetherOpsError as error:
                _log.warning("state_not_stored", workflow=workflow_id, reason=str(error))

    async def _look_after(self) -> bool:
        """Rebuild and tidy up, a piece at a time; whether there is more to do."""
        now = asyncio.get_running_loop().time()
        if now < self._look_after_at:
            return False
        rebuild = await self._projector.look_after()
        if rebuild is None:
            self._is_rebuilding = False
            if self._keeper is not None and await self._keeper.forget_some():
                return True
            self._look_after_at = now + _LOOK_AFTER_EVERY_S
            return False
        if not rebuild.is_swept and not self._is_rebuilding:
            self._is_rebuilding = True
            _log.info("rebuild_begun", position=rebuild.position)
        if rebuild.is_finished:
            self._is_rebuilding = False
            self._condition.rebuilds += 1
            _log.info("read_models_swapped", position=rebuild.position)
        return True

    def _note(self, folded: Folded) -> None:
        condition = self._condition
        condition.position = folded.position
        condition.events += folded.count
        condition.parked += len(folded.parked)
        if folded.recorded_at is not None:
            condition.lag_s = max(0.0, self._clock_s() - folded.recorded_at.timestamp())
        _log.debug("events_projected", events=folded.count, position=folded.position)

    def _resume(self) -> None:
        if self._is_paused:
            self._is_paused = False
            _log.warning("projection_resumed")

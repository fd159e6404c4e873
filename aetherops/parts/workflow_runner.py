"""The runner of workflows: takes those that are due, and performs their steps."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from aetherops.errors import AetherOpsError, InvalidInputError, UnavailableError
from aetherops.resilience import retry_backoff
from aetherops.runtime.part import Part, wait_for_event
from aetherops.runtime.unforeseen import keep_going
from aetherops.services.runner_condition import RunnerCondition
from aetherops.workflow.errors import FencedError
from aetherops.workflow.execution.driving import Drive

if TYPE_CHECKING:
    from aetherops.workflow.execution.leases import Claim, Leases
    from aetherops.workflow.execution.registry import Registry
    from aetherops.workflow.store import EventStore

__all__ = ["WorkflowRunner"]

_log = structlog.get_logger(__name__)

_FIRST_RETRY_MS, _LAST_RETRY_MS = 100, 2_000
# A workflow that cannot be executed as it is, is looked at again after so long.
_SET_ASIDE = timedelta(seconds=60)


class WorkflowRunner(Part):
    """Executes workflows; any number may run, in any processes.

    Parameters
    ----------
    store : where their events are.
    leases : this runner's own.
    registry : what it can execute; it is checked.
    name : the actor of its events.
    condition : is told how it fares.
    at_once : workflows that it holds at once, at most.
    lease_s : as the leases have it; it beats three times in that.
    poll_s : seconds between two looks.
    drain_s : after `stop`, attempts in hand have so long to end; then they are handed over.
    """

    runs_again = True

    def __init__(
        self,
        store: EventStore,
        leases: Leases,
        registry: Registry,
        *,
        name: str,
        condition: RunnerCondition | None = None,
        at_once: int = 64,
        lease_s: float = 10.0,
        poll_s: float = 0.2,
        drain_s: float = 20.0,
    ) -> None:
        super().__init__()
        if at_once < 1:
            raise InvalidInputError("at_once", at_once, "a whole number from 1")
        registry.check()
        self._store, self._leases, self._registry = store, leases, registry
        self._name = name
        self._condition = condition or RunnerCondition()
        self._at_once = at_once
        self._lease_s, self._drain_s = lease_s, drain_s
        self._poll_s = min(poll_s, lease_s / 3)
        self._woken = asyncio.Event()
        self._held: dict[str, tuple[Drive, asyncio.Task[None]]] = {}
        self._is_paused = False
        self._clock: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """The time that all runners share: that of the leases at the last beat, and what passed."""
        assert self._clock is not None
        at, since = self._clock
        return at + timedelta(seconds=time.monotonic() - since)

    async def run(self) -> None:
        """Execute until `stop`; then finish the attempts in hand, or hand them over."""
        beating = asyncio.create_task(
            keep_going("workflow-runner-beat", self._beat_until_cancelled), name="workflow-beat"
        )
        try:
            await self._work()
            await self._drain()
        finally:
            beating.cancel()
            await self._let_go()
            with suppress(UnavailableError):
                await self._leases.leave()

    def stop(self) -> None:
        """Ask `run` to take nothing more, and to return soon."""
        super().stop()
        self._woken.set()

    async def _beat(self) -> None:
        at = await self._leases.beat()
        # Read after the answer: this clock is late by the way here, and never early.
        self._clock = at, time.monotonic()

    async def _beat_until_cancelled(self) -> None:
        while True:
            with suppress(UnavailableError):  # the looks for work tell of it
                await self._beat()
            await asyncio.sleep(self._lease_s / 3)

    async def _work(self) -> None:
        failures = 0
        while not self.stopping:
            self._woken.clear()
            try:
                if self._clock is None:
                    await self._beat()
                is_busy = await self._look()
                failures = 0
                self._tell_resumption()
            except UnavailableError as error:
                failures += 1
                self._tell_pause(str(error))
                await self.pause(retry_backoff(failures, _FIRST_RETRY_MS, _LAST_RETRY_MS) / 1_000)
                continue
            if not is_busy and not self.stopping:
                await wait_for_event(self._woken, self._poll_s)

    async def _look(self) -> bool:
        """Take what there is to do, as far as there are hands; whether there may be more."""
        for workflow_id, position in (await self._leases.wake()).items():
            if workflow_id in self._held:
                self._held[workflow_id][0].poke(position)
        free = self._at_once - len(self._held)
        if free <= 0 or self.stopping:
            return False
        claims = await self._leases.claim(free, self._registry.keys, list(self._held))
        for claim in claims:
            self._take(claim)
        return len(claims) == free

    def _take(self, claim: Claim) -> None:
        self._condition.claims += 1
        if claim.is_taken_over:
            self._condition.takeovers += 1
            _log.warning("takeover_begun", workflow=claim.workflow_id, epoch=claim.epoch)
        drive = Drive(self._store, self._registry, claim, self.now, self._name)
        task = asyncio.create_task(self._drive(claim, drive))
        self._held[claim.workflow_id] = (drive, task)
        self._condition.held = len(self._held)

    async def _drive(self, claim: Claim, drive: Drive) -> None:
        """Execute one workflow; whatever becomes of it, the others go on."""
        try:
            left = await drive.run()
            if left.is_done:
                self._condition.finished += 1
                await self._leases.finish(claim)
            else:
                await self._leases.release(claim, left.due_at, left.position)
        except FencedError as error:
            self._condition.fenced += 1
            _log.warning("workflow_fenced", workflow=claim.workflow_id, reason=str(error))
        except UnavailableError:
            pass  # it is still written down as ours, and taken anew
        except AetherOpsError as error:
            await self._set_aside(claim, str(error))
        except Exception as error:
            await self._set_aside(claim, f"{type(error).__name__}: {error}")
        finally:
            del self._held[claim.workflow_id]
            self._condition.held = len(self._held)
            self._woken.set()

    async def _set_aside(self, claim: Claim, reason: str) -> None:
        _log.error("workflow_not_executed", workflow=claim.workflow_id, reason=reason)
        with suppress(UnavailableError):
            await self._leases.release(claim, self.now() + _SET_ASIDE, 0)

    async def _drain(self) -> None:
        for drive, _ in self._held.values():
            drive.drain()
        if tasks := [task for _, task in self._held.values()]:
            await asyncio.wait(tasks, timeout=self._drain_s)

    async def _let_go(self) -> None:
        tasks = [task for _, task in self._held.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _tell_pause(self, reason: str) -> None:
        if not self._is_paused:
            self._is_paused = True
            _log.warning("execution_paused", reason=reason)

    def _tell_resumption(self) -> None:
        if self._is_paused:
            self._is_paused = False
            _log.warning("execution_resumed")

"""One workflow in the hands of a runner: decide, append, perform, and again, until it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from aetherops.errors import InvalidInputError, LimitExceededError, UnavailableError
from aetherops.workflow.errors import ConcurrencyError
from aetherops.workflow.events.kinds import StepStarted
from aetherops.workflow.execution.decisions import Decision, decide
from aetherops.workflow.execution.definition import UNDO, Task, WorkflowDefinition
from aetherops.workflow.execution.handlers import Failed, Outcome, StepContext, perform
from aetherops.workflow.execution.leases import Claim
from aetherops.workflow.execution.registry import Registry
from aetherops.workflow.execution.starting import definition_key
from aetherops.workflow.projection.projection import WorkflowProjection
from aetherops.workflow.store import EventStore

__all__ = ["Drive", "Left"]

# A store that is away is asked again so often: the handlers' work in hand is not thrown away.
_PAUSE_S = 0.2
# A workflow that is due so soon is held; less than this, a claim costs more.
_HELD_FOR_S = 0.5


@dataclass(frozen=True, slots=True)
class Left:
    """Where a runner left a workflow.

    Parameters
    ----------
    is_done : whether nothing is to be executed any more.
    due_at : when to go on; None where it waits for an event.
    position : of the last event that was seen.
    """

    is_done: bool
    due_at: datetime | None = None
    position: int = 0


class Drive:
    """Takes one claimed workflow as far as it goes.

    Parameters
    ----------
    store : where its events are.
    registry : has its definition and handlers.
    claim : under which it is held.
    now : the time that all runners share.
    runner : the name that events bear as their actor.
    """

    def __init__(
        self,
        store: EventStore,
        registry: Registry,
        claim: Claim,
        now: Callable[[], datetime],
        runner: str,
    ) -> None:
        self._store, self._registry = store, registry
        self._claim, self._now, self._runner = claim, now, runner
        self._projection = WorkflowProjection()
        self._requested_by: str | None = None
        self._position = 0
        self._tasks: dict[str, asyncio.Task[Outcome]] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._poked = asyncio.Event()
        self._is_draining = False

    def poke(self, position: int) -> None:
        """Somebody else changed the workflow, up to there."""
        if position > self._position:
            self._poked.set()

    def drain(self) -> None:
        """Begin no attempt any more; those in hand are finished, and `run` returns."""
        self._is_draining = True
        self._poked.set()

    async def run(self) -> Left:
        """Go on until the workflow is at its end, or nothing is in hand and it waits.

        Raises
        ------
        FencedError
            Another runner holds it: nothing of what was done since is stored.
        UnknownDefinitionError
            This runner does not have its definition.
        """
        try:
            await self._read_on()
            key = definition_key(self._projection.state)
            if key is None:
                # Nobody began it, and our epoch keeps who was about to; or it is not ours to do.
                return Left(is_done=True)
            return await self._go_on(self._registry.definition(key))
        finally:
            await self._drop(list(self._tasks.values()))

    async def _go_on(self, definition: WorkflowDefinition) -> Left:
        while True:
            decision = self._decide(definition)
            if decision.events and not await self._append(decision):
                await self._read_on()
                continue
            self._outcomes.clear()
            for start in decision.starts:
                self._perform(definition, start)
            if decision.is_done:
                return Left(is_done=True)
            due_at = decision.due_at
            if not self._tasks and (self._is_draining or not self._is_near(due_at)):
                due_at = self._now() if self._is_draining else due_at
                return Left(is_done=False, due_at=due_at, position=self._position)
            await self._wait(due_at)

    def _decide(self, definition: WorkflowDefinition) -> Decision:
        return decide(
            definition,
            self._projection.state,
            self._now(),
            actor=self._runner,
            requested_by=self._requested_by,
            in_hand=self._tasks,
            outcomes=self._outcomes,
            may_start=not self._is_draining,
        )

    async def _append(self, decision: Decision) -> bool:
        """Store what was decided; false where it has to be decided again."""
        try:
            stored = await self._store.append_many(
                decision.events,
                expected_version=self._projection.version,
                epoch=self._claim.epoch,
            )
        except ConcurrencyError:
            return False
        except (InvalidInputError, LimitExceededError) as error:
            if not self._outcomes:
                raise
            # Each is JSON, yet too large, or text that this store does not take.
            refused = Failed(f"returned what cannot be stored: {error}"[:500], is_final=True)
            self._outcomes = dict.fromkeys(self._outcomes, refused)
            return False
        except UnavailableError:
            # Whether it was stored shows when the events are read.
            await asyncio.sleep(_PAUSE_S)
            return False
        self._projection.apply_many(stored)
        self._position = stored[-1].position or self._position
        return True

    async def _read_on(self) -> None:
        """Take in what is stored since: of others, or of ours where the answer was lost."""
        self._poked.clear()
        while True:
            try:
                events = await self._store.get_events(
                    self._claim.workflow_id, after=self._projection.version
                )
                break
            except UnavailableError:
                await asyncio.sleep(_PAUSE_S)
        if events and self._projection.version == 0:
            self._requested_by = events[0].actor
        self._projection.apply_many(events)
        if events:
            self._position = events[-1].position or self._position
        self._forget_what_is_told()

    def _forget_what_is_told(self) -> None:
        """Drop outcomes whose step is not running any more: they were stored, or came too late."""
        steps = self._projection.state.steps
        for name in list(self._outcomes):
            if name not in steps or steps[name].status != "running":
                del self._outcomes[name]

    def _perform(self, definition: WorkflowDefinition, start: StepStarted) -> None:
        step = _task_of(definition, start.step)
        if step is None:
            return  # one that waits
        state = self._projection.state
        if state.steps[start.step].status != "running":
            return  # passed over
        undo = start.step.startswith(UNDO)
        handler = self._registry.handler_of((step.undo or "") if undo else step.handler)
        context = StepContext(
            self._claim.workflow_id,
            start.step,
            start.attempt,
            self._claim.epoch,
            state.input,
            {n: s.result for n, s in state.steps.items() if s.status == "completed"},
        )
        self._tasks[start.step] = asyncio.create_task(perform(handler, context, step.timeout_s))

    def _is_near(self, due_at: datetime | None) -> bool:
        return due_at is not None and (due_at - self._now()).total_seconds() < _HELD_FOR_S

    async def _wait(self, due_at: datetime | None) -> None:
        """Until an attempt ends, the time comes, or somebody changes the workflow."""
        timeout = None if due_at is None else max((due_at - self._now()).total_seconds(), 0.0)
        poked = asyncio.create_task(self._poked.wait())
        try:
            await asyncio.wait(
                [*self._tasks.values(), poked],
                timeout=timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            poked.cancel()
        for name, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[name]
                self._outcomes[name] = task.result()
        if self._poked.is_set():
            await self._read_on()

    async def _drop(self, tasks: Collection[asyncio.Task[Outcome]]) -> None:
        """Cancel what is in hand: nobody wants to know any more."""
        for task in tasks:
            task.cancel()
        if tasks:
            # One that will not be cancelled is left to itself.
            await asyncio.wait(tasks, timeout=1.0)


def _task_of(definition: WorkflowDefinition, name: str) -> Task | None:
    """The step of this name, or that it makes up for, where a handler does it."""
    wanted = name.removeprefix(UNDO)
    [step] = [one for one in definition.steps if one.name == wanted]
    return step if isinstance(step, Task) else None

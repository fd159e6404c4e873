"""The check of workflows: replays some of them, again and again, and tells what diverges."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import structlog

from aetherops.errors import AetherOpsError, UnavailableError
from aetherops.runtime.part import Part
from aetherops.services.workflow_condition import WorkflowCondition

if TYPE_CHECKING:
    from aetherops.events import EventBus
    from aetherops.workflow.store import EventStore
    from aetherops.workflow.verification import WorkflowVerifier

__all__ = ["DIVERGED_SUBJECT", "ReplayCheck"]

_log = structlog.get_logger(__name__)

#: Where a divergence is told to other programs.
DIVERGED_SUBJECT = "aetherops.workflow-check.diverged"
_PERIOD_S = 60.0
_SAMPLE = 10


class ReplayCheck(Part):
    """Replays a sample of workflows every so often; those with more events are met more often.

    Parameters
    ----------
    store : where the events are.
    verifier : replays one.
    bus : hears of divergences.
    condition : is told how it fares.
    period_s : seconds between two samples.
    sample : how many workflows at a time.
    chance : draws the sample.
    """

    runs_again = True

    def __init__(
        self,
        store: EventStore,
        verifier: WorkflowVerifier,
        bus: EventBus,
        *,
        condition: WorkflowCondition | None = None,
        period_s: float = _PERIOD_S,
        sample: int = _SAMPLE,
        chance: random.Random | None = None,
    ) -> None:
        super().__init__()
        self._store = store
        self._verifier = verifier
        self._bus = bus
        self._period_s = period_s
        self._sample = sample
        self._chance = chance or random.Random()  # noqa: S311 -- nobody guards a secret with it
        self._told: set[str] = set()
        self._condition = condition or WorkflowCondition()

    async def run(self) -> None:
        """Check until `stop`."""
        while not self.stopping:
            await self.pause(self._period_s)
            try:
                await self._check_sample()
            except UnavailableError as error:
                _log.debug("replays_postponed", dependency=error.dependency)

    async def _check_sample(self) -> None:
        last = await self._store.last_position()
        for _ in range(min(self._sample, last)):
            if self.stopping:
                return
            await self._check(self._chance.randint(1, last))

    async def _check(self, position: int) -> None:
        """Replay the workflow of the event at this position."""
        workflow_id = f"of position {position}"
        try:
            [event] = await self._store.read_from(position - 1, 1)
            workflow_id = event.workflow_id
            found = await self._verifier.verify(workflow_id)
            reasons = [str(one) for one in found.divergences]
        except UnavailableError:
            raise
        except AetherOpsError as error:  # that one event is missing, or nobody can read it
            reasons = [str(error)]
        self._condition.replays += 1
        if reasons:
            await self._tell(workflow_id, reasons)
        else:
            self._told.discard(workflow_id)

    async def _tell(self, workflow_id: str, reasons: list[str]) -> None:
        """Once a workflow; it is told again when it had converged in between."""
        if workflow_id in self._told:
            return
        self._told.add(workflow_id)
        self._condition.divergences += 1
        _log.error("replay_diverged", workflow=workflow_id, reasons=reasons[:10])
        await self._bus.publish(
            DIVERGED_SUBJECT, {"workflow_id": workflow_id, "reasons": reasons[:10]}
        )

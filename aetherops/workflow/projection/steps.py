"""The part of the fold that follows the steps of a workflow through their attempts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from aetherops.workflow.events import kinds
from aetherops.workflow.json_values import JsonValue
from aetherops.workflow.state import Attempt, Step

__all__ = ["StepsFold"]


class _StepFold:
    """A step on its way: attempts that ended, and the last one while it runs.

    An attempt is made once, when it ends: a long history has many.
    """

    __slots__ = ("ended", "executor", "number", "result", "running", "started_at", "status")

    def __init__(self, step: Step | None = None) -> None:
        self.status = "none" if step is None else step.status
        self.ended: list[Attempt] = [] if step is None else list(step.attempts)
        self.result: JsonValue = None if step is None else step.result
        self.running = False
        if self.ended and self.ended[-1].status == "running":
            last = self.ended.pop()
            self.run(last.number, last.started_at, last.executor)

    def run(self, number: int, started_at: datetime | None, executor: str | None) -> None:
        """The last attempt is this one."""
        self.running = True
        self.number, self.started_at, self.executor = number, started_at, executor

    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt as it is now."""
        return (*self.ended, self._last()) if self.running else tuple(self.ended)

    def leave(self) -> None:
        """Another attempt comes, though the last one has not ended."""
        if self.running:
            self.ended.append(self._last())
            self.running = False

    def _last(self) -> Attempt:
        return Attempt(self.number, "running", self.started_at, executor=self.executor)


class StepsFold:
    """Steps by name. Each method returns whether the order of steps allows the event."""

    def __init__(self, steps: Mapping[str, Step]) -> None:
        self._steps = {name: _StepFold(step) for name, step in steps.items()}

    def by_name(self) -> dict[str, Step]:
        """Every step as it is now."""
        return {
            name: Step(name, step.status, step.attempts(), step.result)
            for name, step in self._steps.items()
        }

    def started(self, event: kinds.StepStarted) -> bool:
        """An attempt begins: the first, or the next after one that failed."""
        step = self._step(event.step)
        step.leave()
        allowed = step.status in ("none", "failed") and event.attempt == len(step.ended) + 1
        step.run(event.attempt, event.occurred_at, event.executor)
        if step.status != "completed":
            step.status = "running"
        return allowed

    def completed(self, event: kinds.StepCompleted) -> bool:
        """An attempt succeeded; of two, the first one's result counts."""
        step, allowed = self._ending(event.step, event.attempt)
        step.ended.append(
            Attempt(step.number, "completed", step.started_at, event.occurred_at, step.executor)
        )
        if step.status != "completed":
            step.status, step.result = "completed", event.result
        return allowed

    def failed(self, event: kinds.StepFailed) -> bool:
        """An attempt failed."""
        step, allowed = self._ending(event.step, event.attempt)
        step.ended.append(
            Attempt(
                step.number,
                "failed",
                step.started_at,
                event.occurred_at,
                step.executor,
                event.error,
                event.retry_at,
            )
        )
        if step.status != "completed":
            step.status = "failed"
        return allowed

    def _ending(self, name: str, number: int) -> tuple[_StepFold, bool]:
        """The step whose last attempt ends, and whether that was running."""
        step = self._step(name)
        if step.running and step.number == number:
            step.running = False
            return step, step.status == "running"
        step.leave()
        step.number, step.started_at, step.executor = number, None, None
        return step, False

    def _step(self, name: str) -> _StepFold:
        step = self._steps.get(name)
        if step is None:
            step = self._steps[name] = _StepFold()
        return step

"""The part of the fold that follows the steps of a workflow through their attempts."""

from __future__ import annotations

from collections.abc import Mapping

from aetherops.workflow.json_values import JsonValue
from aetherops.workflow.state import Attempt, Step

__all__ = ["StepsFold"]

_attempt = Attempt._make  # of all fields in their order, in half of the time


class _StepFold:
    """A step on its way: attempts that ended, and the last one while it runs.

    An attempt is made once, when it ends: a long history has many.
    """

    __slots__ = ("ended", "executor", "number", "result", "running", "started_us", "status")

    def __init__(self, step: Step | None = None) -> None:
        self.status = "none" if step is None else step.status
        self.ended: list[Attempt] = [] if step is None else list(step.attempts)
        self.result: JsonValue = None if step is None else step.result
        self.running = False
        if self.ended and self.ended[-1].status == "running":
            last = self.ended.pop()
            self.running = True
            self.number, self.started_us, self.executor = (
                last.number,
                last.started_us,
                last.executor,
            )

    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt as it is now."""
        return (*self.ended, self._last()) if self.running else tuple(self.ended)

    def leave(self) -> None:
        """Another attempt comes, though the last one has not ended."""
        if self.running:
            self.ended.append(self._last())
            self.running = False

    def _last(self) -> Attempt:
        return Attempt(self.number, "running", self.started_us, executor=self.executor)


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

    def has_completed(self, name: str) -> bool:
        """Whether an attempt succeeded, so that no later result counts."""
        step = self._steps.get(name)
        return step is not None and step.status == "completed"

    def started(self, name: str, number: int, executor: str | None, at_us: int) -> bool:
        """An attempt begins: the first, or the next after one that failed."""
        step = self._steps.get(name) or self._new(name)
        if step.running:
            step.leave()
        status = step.status
        allowed = (status == "none" or status == "failed") and number == len(step.ended) + 1
        step.running = True
        step.number, step.started_us, step.executor = number, at_us, executor
        if status != "completed":
            step.status = "running"
        return allowed

    def completed(self, name: str, number: int, result: JsonValue, at_us: int) -> bool:
        """An attempt succeeded; of two, the first one's result counts."""
        step = self._steps.get(name) or self._new(name)
        allowed = self._end(step, number) and step.status == "running"
        step.ended.append(
            _attempt((number, "completed", step.started_us, at_us, step.executor, None, None))
        )
        if step.status != "completed":
            step.status, step.result = "completed", result
        return allowed

    def failed(self, name: str, number: int, error: str, retry_us: int | None, at_us: int) -> bool:
        """An attempt failed."""
        step = self._steps.get(name) or self._new(name)
        allowed = self._end(step, number) and step.status == "running"
        step.ended.append(
            Attempt(number, "failed", step.started_us, at_us, step.executor, error, retry_us)
        )
        if step.status != "completed":
            step.status = "failed"
        return allowed

    @staticmethod
    def _end(step: _StepFold, number: int) -> bool:
        """Let an attempt end, and tell whether that was the one that runs."""
        if step.running and step.number == number:
            step.running = False
            return True
        step.leave()
        step.started_us = step.executor = None
        return False

    def _new(self, name: str) -> _StepFold:
        step = self._steps[name] = _StepFold()
        return step

"""The part of the fold that follows the steps of a workflow through their attempts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aetherops.workflow.json_values import JsonValue
from aetherops.workflow.state import Attempt, Step

__all__ = ["StepsFold"]

# Of all fields in their order, in half of the time.
_attempt, _step = Attempt._make, Step._make


class _StepFold:
    """A step on its way: attempts that ended, and the last one while it runs.

    An attempt is made once, when it ends: a long history has many.
    """

    __slots__ = ("ended", "executor", "number", "result", "running", "started_us", "status")

    number: int
    started_us: int | None
    executor: str | None

    def __init__(self) -> None:
        self.status = "none"
        self.ended: list[Attempt] = []
        self.result: JsonValue = None
        self.running = False

    @classmethod
    def of(cls, step: Step) -> _StepFold:
        """The step as it is, to go on from."""
        fold = cls()
        fold.status, fold.ended, fold.result = step.status, list(step.attempts), step.result
        if fold.ended and fold.ended[-1].status == "running":
            last = fold.ended.pop()
            fold.running = True
            fold.number, fold.executor = last.number, last.executor
            fold.started_us = last.started_us
        return fold

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
        self._steps = {name: _StepFold.of(step) for name, step in steps.items()}

    def by_name(self) -> dict[str, Step]:
        """Every step as it is now."""
        return {
            name: _step((name, fold.status, fold.attempts(), fold.result))
            for name, fold in self._steps.items()
        }

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

    def completed(
        self,
        name: str,
        number: int,
        result: Any,
        at_us: int,
        read: Callable[[Any], JsonValue] | None = None,
    ) -> bool:
        """An attempt succeeded; of two, the first one's result counts, and is read if need be."""
        step = self._steps.get(name)
        if read is not None and (step is None or step.status != "completed"):
            result = read(result)
        if step is None:
            step = self._new(name)
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

"""The part of the fold that follows the steps of a workflow through their attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aetherops.workflow.events import kinds
from aetherops.workflow.json_values import JsonValue
from aetherops.workflow.state import Attempt, Step

__all__ = ["StepsFold"]


@dataclass(slots=True)
class _StepFold:
    status: str = "running"
    attempts: list[Attempt] = field(default_factory=list)
    result: JsonValue = None


class StepsFold:
    """Steps by name. Each method returns whether the order of steps allows the event."""

    def __init__(self, steps: Mapping[str, Step]) -> None:
        self._steps = {
            name: _StepFold(step.status, list(step.attempts), step.result)
            for name, step in steps.items()
        }

    def by_name(self) -> dict[str, Step]:
        """Every step as it is now."""
        return {
            name: Step(name, step.status, tuple(step.attempts), step.result)
            for name, step in self._steps.items()
        }

    def started(self, event: kinds.StepStarted) -> bool:
        """An attempt begins: the first, or the next after one that failed."""
        step = self._steps.setdefault(event.step, _StepFold("none"))
        allowed = step.status in ("none", "failed") and event.attempt == len(step.attempts) + 1
        step.attempts.append(
            Attempt(event.attempt, "running", event.occurred_at, executor=event.executor)
        )
        if step.status != "completed":
            step.status = "running"
        return allowed

    def completed(self, event: kinds.StepCompleted) -> bool:
        """An attempt succeeded; of two, the first one's result counts."""
        step, allowed = self._end(event.step, event.attempt)
        attempt = step.attempts[-1]
        step.attempts[-1] = replace(attempt, status="completed", ended_at=event.occurred_at)
        if step.status != "completed":
            step.status, step.result = "completed", event.result
        return allowed

    def failed(self, event: kinds.StepFailed) -> bool:
        """An attempt failed."""
        step, allowed = self._end(event.step, event.attempt)
        step.attempts[-1] = replace(
            step.attempts[-1],
            status="failed",
            ended_at=event.occurred_at,
            error=event.error,
            retry_at=event.retry_at,
        )
        if step.status != "completed":
            step.status = "failed"
        return allowed

    def _end(self, name: str, number: int) -> tuple[_StepFold, bool]:
        """The step whose last attempt ends, that attempt standing last; and whether it ran."""
        step = self._steps.setdefault(name, _StepFold("none"))
        last = step.attempts[-1] if step.attempts else None
        if last is not None and last.number == number and last.status == "running":
            return step, step.status == "running"
        step.attempts.append(Attempt(number, "running"))
        return step, False

"""One decision in the making: what is said in it, and what the state is after that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from aetherops.workflow.events import kinds
from aetherops.workflow.events.base import WorkflowEvent
from aetherops.workflow.execution.definition import (
    UNDO,
    Retries,
    StepDefinition,
    Task,
    WorkflowDefinition,
)
from aetherops.workflow.json_values import FrozenDict, JsonValue
from aetherops.workflow.projection.projection import WorkflowProjection
from aetherops.workflow.state import WorkflowState

__all__ = ["PASSED_OVER", "Turn"]

#: The result of a step whose condition was false; it completes without anything being done.
PASSED_OVER: JsonValue = FrozenDict(passed_over="its condition is false")


class Turn:
    """Gathers the events of a decision, each folded into the state as it is said.

    Parameters
    ----------
    definition : of the workflow.
    projection : of everything before; it goes on with what is said.
    now : the time of the events.
    actor : who says them.
    requested_by : who began the workflow.
    """

    def __init__(
        self,
        definition: WorkflowDefinition,
        projection: WorkflowProjection,
        now: datetime,
        actor: str,
        requested_by: str | None,
    ) -> None:
        self.steps = {step.name: step for step in definition.steps}
        self.now, self.actor, self.requested_by = now, actor, requested_by
        self.events: list[WorkflowEvent] = []
        self.due_at: datetime | None = None
        self._projection = projection
        self.state: WorkflowState = projection.state

    def say(self, kind: type[WorkflowEvent], **payload: Any) -> None:
        """The next event."""
        event = kind(
            self.state.workflow_id,
            self.state.version + 1,
            occurred_at=self.now,
            actor=self.actor,
            **payload,
        )
        self.events.append(event)
        self.state = self._projection.apply(event).state

    def wait_until(self, due_at: datetime | None) -> None:
        """Decide again then, or earlier where something else is due earlier."""
        if due_at is not None and (self.due_at is None or due_at < self.due_at):
            self.due_at = due_at

    def status(self, name: str) -> str:
        """Of a step: ``"none"`` before its first attempt."""
        step = self.state.steps.get(name)
        return "none" if step is None else step.status

    def started_at(self, name: str) -> datetime:
        """When the last attempt at a step began."""
        return self.state.steps[name].attempts[-1].started_at or self.now

    def is_task(self, name: str) -> bool:
        """Whether a handler does this step, or makes up for one."""
        return name.startswith(UNDO) or isinstance(self.steps.get(name), Task)

    def retries(self, name: str) -> Retries:
        """How often the step is tried; a compensation as often as what it makes up for."""
        step = self.steps[name.removeprefix(UNDO)]
        return step.retries if isinstance(step, Task) else Retries()

    @property
    def results(self) -> dict[str, JsonValue]:
        """Of the steps that are completed."""
        return {
            name: step.result
            for name, step in self.state.steps.items()
            if step.status == "completed"
        }

    def ready(self) -> Iterator[StepDefinition]:
        """The steps that may begin now, each looked at after what was said of the one before."""
        for name, step in self.steps.items():
            if all(self.status(before) == "completed" for before in step.after) and (
                self.status(name) == "none" or self.may_try_again(name)
            ):
                yield step

    def may_try_again(self, name: str) -> bool:
        """Whether the time of a failed step's next attempt has come; else it is waited for."""
        step = self.state.steps.get(name)
        if step is None or step.status != "failed":
            return False
        retry_at = step.attempts[-1].retry_at
        if retry_at is not None and retry_at > self.now:
            self.wait_until(retry_at)
            return False
        return retry_at is not None

    def start_task(self, name: str) -> None:
        """The next attempt at a step that a handler does."""
        step = self.state.steps.get(name)
        attempt = 1 if step is None else step.attempts[-1].number + 1
        self.say(kinds.StepStarted, step=name, attempt=attempt, executor=self.actor)

    def passes_over(self, step: StepDefinition) -> bool:
        """Complete a step whose condition is false; fail one whose condition cannot be told."""
        if step.when is None or self.status(step.name) != "none":
            return False
        try:
            if step.when(self.results):
                return False
        except Exception as error:
            self.say(kinds.StepStarted, step=step.name, executor=self.actor)
            words = f"its condition raised {type(error).__name__}"
            self.say(kinds.StepFailed, step=step.name, error=words)
            return True
        self.say(kinds.StepStarted, step=step.name, executor=self.actor)
        self.say(kinds.StepCompleted, step=step.name, result=PASSED_OVER)
        return True

"""What must hold of workflows that were executed, told from their events and effects alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from workflow_history.executed import STEPS

__all__ = ["Effect", "ExecutionCheck", "Said"]

_ENDS = {"workflow.completed", "workflow.failed", "workflow.cancelled"}
_STEP_ENDS = {"step.completed", "step.failed"}
_MOST_TOLD = 20


class Said(NamedTuple):
    """An event, as far as it matters here."""

    kind: str
    step: str = ""
    attempt: int = 0


class Effect(NamedTuple):
    """What a handler did, by the runner's own note."""

    workflow_id: str
    step: str
    attempt: int
    epoch: int


class ExecutionCheck:
    """Gathers faults of histories, workflow by workflow."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.steps = 0
        self.attempts = 0
        self.doubled = 0

    def take(self, workflow_id: str, said: Iterable[Said]) -> None:
        """All events of one workflow, in order."""
        running: dict[str, int] = {}
        completed: list[str] = []
        end = ""
        for kind, step, attempt in said:
            where = f"{workflow_id}, step {step}"
            if end:
                self._fault(f"{workflow_id}: {kind} after {end}")
            if kind == "step.started":
                self.attempts += 1
                if step in running:
                    self._fault(f"{where}: attempt {attempt} begins beside {running[step]}")
                if step in completed:
                    self._fault(f"{where}: attempt {attempt} begins after its completion")
                running[step] = attempt
            elif kind in _STEP_ENDS and running.pop(step, None) != attempt:
                self._fault(f"{where}: attempt {attempt} ends, and was not running")
            if kind == "step.completed":
                completed.append(step)
            end = kind if kind in _ENDS else end
        self._at_the_end(workflow_id, end, running, completed)

    def _at_the_end(
        self, workflow_id: str, end: str, running: Mapping[str, int], completed: list[str]
    ) -> None:
        self.steps += len(completed)
        for step in {step for step in completed if completed.count(step) > 1}:
            self._fault(f"{workflow_id}, step {step}: completes more than once")
        if end != "workflow.completed":
            self._fault(f"{workflow_id}: ends with {end or 'nothing: an orphan'}")
        if running:
            self._fault(f"{workflow_id}: {', '.join(running)} still running at its end")

    def effects(
        self, effects: Iterable[Effect], completed: Mapping[str, Mapping[str, int]]
    ) -> None:
        """Every effect, and the attempt by which each step of each workflow completed."""
        seen = Counter(effects)
        per_step = Counter((one.workflow_id, one.step) for one in seen.elements())
        self.doubled = sum(n - 1 for n in per_step.values())
        for effect, count in seen.items():
            if count > 1:
                self._fault(f"{effect.workflow_id}, step {effect.step}: one attempt has 2 effects")
        made = {(one.workflow_id, one.step, one.attempt) for one in seen}
        for workflow_id, steps in completed.items():
            for step in STEPS:
                if (workflow_id, step, steps.get(step, 0)) not in made:
                    self._fault(f"{workflow_id}, step {step}: completed without effect")

    def _fault(self, what: str) -> None:
        if len(self.faults) < _MOST_TOLD:
            self.faults.append(what)

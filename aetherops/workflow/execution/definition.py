"""How a workflow is declared: steps, what each comes after, and how often it is tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from aetherops.errors import InvalidInputError
from aetherops.workflow.checks import name_text, positive
from aetherops.workflow.execution.errors import (
    CyclicStepsError,
    DuplicateStepError,
    UnknownDependencyError,
)
from aetherops.workflow.json_values import JsonValue

__all__ = [
    "UNDO",
    "Approval",
    "Condition",
    "Delay",
    "Retries",
    "Signal",
    "StepDefinition",
    "Task",
    "WorkflowDefinition",
]

#: A step's compensation is a step of this name and the step's own.
UNDO = "undo "
_LONGEST_S = 366 * 86_400.0

#: Takes the results of the completed steps by name; a step whose condition is false is passed over.
#: The same results give the same answer: it is asked again after a takeover.
Condition: TypeAlias = Callable[[Mapping[str, JsonValue]], bool]


def _seconds(value: object, field: str, least: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInputError(field, value, "a number")
    if not least <= value <= _LONGEST_S:
        raise InvalidInputError(field, value, f"a number from {least:g} to {_LONGEST_S:g}")


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a step is tried, and how long is waited between.

    Parameters
    ----------
    attempts : in all, those that were lost with their runner not counted.
    first_s : the wait before the second attempt, seconds.
    factor : each further wait is so many times the one before.
    longest_s : no wait is longer, seconds.
    """

    attempts: int = 1
    first_s: float = 1.0
    factor: float = 2.0
    longest_s: float = 300.0

    def __post_init__(self) -> None:
        positive(self.attempts, "attempts")
        _seconds(self.first_s, "first_s", 0.0)
        _seconds(self.factor, "factor", 1.0)
        _seconds(self.longest_s, "longest_s", 0.0)

    def wait_after(self, failures: int) -> timedelta | None:
        """How long to wait after so many failed attempts; None where no further one is made."""
        if failures >= self.attempts:
            return None
        # Beyond 60 doublings any wait is the longest; the power would leave the floats.
        wait_s = self.first_s * math.pow(self.factor, min(failures - 1, 60))
        return timedelta(seconds=min(wait_s, self.longest_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    name: str
    after: Sequence[str] = ()
    when: Condition | None = None

    def __post_init__(self) -> None:
        name_text(self.name, "step")
        if self.name.startswith(UNDO):
            raise InvalidInputError("step", self.name, f"a name that does not begin with {UNDO!r}")
        if isinstance(self.after, str):
            raise InvalidInputError(f"step {self.name}, after", self.after, "names of steps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(_Step):
    """A step that a handler does.

    Parameters
    ----------
    name : of the step in the workflow.
    after : the steps that have to be completed before it; steps that wait for none begin at once.
    when : its condition; see `Condition`.
    handler : the name of the handler that does it.
    retries : how often it is tried.
    timeout_s : an attempt that takes longer fails, seconds.
    undo : the handler that makes up for it, where the workflow fails later.
    """

    handler: str
    retries: Retries = Retries()
    timeout_s: float = 3_600.0
    undo: str | None = None

    def __post_init__(self) -> None:
        _Step.__post_init__(self)
        name_text(self.handler, f"step {self.name}, handler")
        _seconds(self.timeout_s, f"step {self.name}, timeout_s", 0.001)
        if self.undo is not None:
            name_text(self.undo, f"step {self.name}, undo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(_Step):
    """A step that waits for the word of operators other than the one that began the workflow.

    Parameters
    ----------
    role : whose word it takes.
    quorum : how many different operators have to say yes; one no fails the step.
    within_s : the step fails where the words were not given by then, seconds; no limit where None.
    """

    role: str = "operator"
    quorum: int = 1
    within_s: float | None = None

    def __post_init__(self) -> None:
        _Step.__post_init__(self)
        name_text(self.role, f"step {self.name}, role")
        positive(self.quorum, f"step {self.name}, quorum")
        if self.within_s is not None:
            _seconds(self.within_s, f"step {self.name}, within_s", 0.001)

    @property
    def votes(self) -> list[str]:
        """The approvals that are asked for, one a word."""
        if self.quorum == 1:
            return [self.name]
        return [f"{self.name}/{i}" for i in range(1, self.quorum + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(_Step):
    """A step that lets time pass.

    Parameters
    ----------
    wait_s : seconds from when it begins.
    """

    wait_s: float

    def __post_init__(self) -> None:
        _Step.__post_init__(self)
        _seconds(self.wait_s, f"step {self.name}, wait_s", 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(_Step):
    """A step that waits until something is attached to the workflow; that is its result.

    Parameters
    ----------
    key : under which it is attached; before the step began counts as well.
    within_s : the step fails where nothing came by then, seconds; no limit where None.
    """

    key: str
    within_s: float | None = None

    def __post_init__(self) -> None:
        _Step.__post_init__(self)
        name_text(self.key, f"step {self.name}, key")
        if self.within_s is not None:
            _seconds(self.within_s, f"step {self.name}, within_s", 0.001)


StepDefinition: TypeAlias = Task | Approval | Delay | Signal


@dataclass(frozen=True, slots=True)
class WorkflowDefinition:
    """A workflow as it is declared; a running one ends on the version that it began with.

    Parameters
    ----------
    name : what its workflows are called.
    version : grows with every change of the steps.
    steps : in any order.

    Raises
    ------
    DuplicateStepError, UnknownDependencyError, CyclicStepsError
        The steps are no graph that can be walked; each names the steps.
    InvalidInputError
        A name or a version is none, or there is no step.
    """

    name: str
    version: int
    steps: Sequence[StepDefinition]

    def __post_init__(self) -> None:
        name_text(self.name, "name")
        positive(self.version, "version")
        if not self.steps:
            raise InvalidInputError(f"workflow {self.name}, steps", self.steps, "at least one step")
        object.__setattr__(self, "steps", tuple(self.steps))
        names: set[str] = set()
        for step in self.steps:
            if step.name in names:
                raise DuplicateStepError(self.name, step.name)
            names.add(step.name)
        for step in self.steps:
            for dependency in step.after:
                if dependency not in names:
                    raise UnknownDependencyError(self.name, step.name, dependency)
        if cycle := _cycle({step.name: step.after for step in self.steps}):
            raise CyclicStepsError(self.name, cycle)

    @property
    def key(self) -> str:
        """Its name and version as one text."""
        return f"{self.name}:{self.version}"


def _cycle(after: Mapping[str, Sequence[str]]) -> list[str]:
    """A ring of steps, each after the next, the first one again at the end; empty without one."""
    waiting = {name: set(names) for name, names in after.items()}
    while free := [name for name, names in waiting.items() if not names]:
        for name in free:
            del waiting[name]
        for names in waiting.values():
            names.difference_update(free)
    if not waiting:
        return []
    # Each that is left waits for another that is left: who follows comes round.
    way = [next(iter(waiting))]
    while way[-1] not in way[:-1]:
        way.append(min(waiting[way[-1]]))
    return way[way.index(way[-1]) :]

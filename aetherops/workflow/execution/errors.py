"""What is wrong with a declared workflow, told when it is declared or registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CyclicStepsError",
    "DuplicateStepError",
    "MissingHandlerError",
    "UnknownDefinitionError",
    "UnknownDependencyError",
]


class DuplicateStepError(InvalidInputError):
    """Two steps of a workflow have one name.

    Parameters
    ----------
    workflow, step : which.
    """

    def __init__(self, workflow: str, step: str) -> None:
        self.workflow, self.step = workflow, step
        super().__init__(f"workflow {workflow}, step", step, "a name that no other step has")
        self.args = (workflow, step)


class UnknownDependencyError(InvalidInputError):
    """A step comes after one that the workflow does not have.

    Parameters
    ----------
    workflow, step : which.
    dependency : what it is to come after.
    """

    def __init__(self, workflow: str, step: str, dependency: str) -> None:
        self.workflow, self.step, self.dependency = workflow, step, dependency
        super().__init__(
            f"workflow {workflow}, step {step}, after", dependency, "a step of the workflow"
        )
        self.args = (workflow, step, dependency)


class CyclicStepsError(InvalidInputError):
    """Steps come after each other: none of them could ever begin.

    Parameters
    ----------
    workflow : which.
    cycle : the steps, each after the next; the first comes again at the end.
    """

    def __init__(self, workflow: str, cycle: Sequence[str]) -> None:
        self.workflow, self.cycle = workflow, tuple(cycle)
        super().__init__(
            f"workflow {workflow}, after", " after ".join(cycle), "steps that do not wait in a ring"
        )
        self.args = (workflow, self.cycle)


class MissingHandlerError(InvalidInputError):
    """A step names a handler that nobody registered.

    Parameters
    ----------
    workflow, step : which; the step is that of the compensation where this is missing.
    handler : its name.
    """

    def __init__(self, workflow: str, step: str, handler: str) -> None:
        self.workflow, self.step, self.handler = workflow, step, handler
        super().__init__(f"workflow {workflow}, step {step}, handler", handler, "a registered one")
        self.args = (workflow, step, handler)


class UnknownDefinitionError(NotFoundError):
    """No workflow of this name and version is registered here.

    Parameters
    ----------
    name : of the definition, with its version where one was asked for (``"burn:2"``).
    """

    def __init__(self, name: str) -> None:
        super().__init__("workflow definition", name)
        self.args = (name,)

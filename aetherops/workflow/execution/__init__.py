"""Workflows that are executed: declared as a graph of steps, performed by registered handlers.

`decide` is the whole of the rules, a pure function; `Drive` takes one workflow as far as it goes;
`Leases` says who holds which.
"""

from aetherops.workflow.execution.decisions import Decision, decide
from aetherops.workflow.execution.definition import (
    Approval,
    Delay,
    Retries,
    Signal,
    StepDefinition,
    Task,
    WorkflowDefinition,
)
from aetherops.workflow.execution.errors import (
    CyclicStepsError,
    DuplicateStepError,
    MissingHandlerError,
    UnknownDefinitionError,
    UnknownDependencyError,
)
from aetherops.workflow.execution.handlers import Failed, Handler, StepContext, Succeeded, perform
from aetherops.workflow.execution.leases import Claim, Leases
from aetherops.workflow.execution.registry import Registry
from aetherops.workflow.execution.starting import start_workflow

__all__ = [
    "Approval",
    "Claim",
    "CyclicStepsError",
    "Decision",
    "Delay",
    "DuplicateStepError",
    "Failed",
    "Handler",
    "Leases",
    "MissingHandlerError",
    "Registry",
    "Retries",
    "Signal",
    "StepContext",
    "StepDefinition",
    "Succeeded",
    "Task",
    "UnknownDefinitionError",
    "UnknownDependencyError",
    "WorkflowDefinition",
    "decide",
    "perform",
    "start_workflow",
]

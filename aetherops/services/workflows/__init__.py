"""Workflows: commands that append events, and questions about what they say."""

from aetherops.services.workflows.cause import Cause
from aetherops.services.workflows.commands import WorkflowCommands
from aetherops.services.workflows.queries import (
    Change,
    HistoryPage,
    WorkflowChanges,
    WorkflowQueries,
)
from aetherops.services.workflows.workflows import Workflows

__all__ = [
    "Cause",
    "Change",
    "HistoryPage",
    "WorkflowChanges",
    "WorkflowCommands",
    "WorkflowQueries",
    "Workflows",
]

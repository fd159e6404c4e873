"""Commands about workflows: `workflow` has every one of them."""

from aetherops.cli.workflow import (
    change_arguments,
    migration_arguments,
    rebuild_arguments,
    step_arguments,
    timer_arguments,
    verify_arguments,
)
from aetherops.cli.workflow.arguments import workflow

__all__ = [
    "change_arguments",
    "migration_arguments",
    "rebuild_arguments",
    "step_arguments",
    "timer_arguments",
    "verify_arguments",
    "workflow",
]

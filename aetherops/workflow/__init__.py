"""Mission workflows: their states and moves, and the stages of a mission."""

from aetherops.workflow.engine import WorkflowEngine, safe_advance
from aetherops.workflow.pipeline import MissionPipeline
from aetherops.workflow.states import (
    STATES,
    TERMINAL_STATES,
    TRANSITIONS,
    can_transition,
    is_terminal_state,
    shortest_path,
)

__all__ = [
    "STATES",
    "TERMINAL_STATES",
    "TRANSITIONS",
    "MissionPipeline",
    "WorkflowEngine",
    "can_transition",
    "is_terminal_state",
    "safe_advance",
    "shortest_path",
]

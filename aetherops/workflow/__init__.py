"""Mission workflows: their events, where these are kept, and the state that they say.

What happens to a workflow is an event (`WorkflowEvent` and its kinds); an `EventStore` keeps events
for ever in one order; `WorkflowProjection` folds them into a `WorkflowState`.
"""

from aetherops._lazy import public_names
from aetherops.workflow.engine import WorkflowEngine, safe_advance
from aetherops.workflow.errors import (
    ConcurrencyError,
    DamagedEventError,
    DuplicateEventError,
    EventLoopError,
    FencedError,
    IllegalMoveError,
    MissingEventError,
    NotYetCreatedError,
    UnknownBeforeMigrationError,
    UnknownKindError,
    UnknownSchemaVersionError,
    UnreadableEventError,
    WorkflowNotFoundError,
)
from aetherops.workflow.events.base import WorkflowEvent, event_kind
from aetherops.workflow.events.codec import EventCodec
from aetherops.workflow.events.ids import uuid7
from aetherops.workflow.events.kinds import (
    KINDS,
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    ArtifactAttached,
    OwnerAssigned,
    SnapshotTaken,
    StageAdvanced,
    StageRolledBack,
    StepCompleted,
    StepFailed,
    StepStarted,
    TimerCancelled,
    TimerFired,
    TimerSet,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowCreated,
    WorkflowFailed,
    WorkflowMoved,
    WorkflowPaused,
    WorkflowResumed,
)
from aetherops.workflow.events.upcasters import Upcasters
from aetherops.workflow.knowledge import require_known
from aetherops.workflow.memory import MemoryEventStore
from aetherops.workflow.pipeline import MissionPipeline
from aetherops.workflow.projection.projection import WorkflowProjection
from aetherops.workflow.state import Approval, Attempt, Step, WorkflowState
from aetherops.workflow.state_json import state_from_json, state_to_json
from aetherops.workflow.states import (
    STAGES,
    STATES,
    TERMINAL_STATES,
    TRANSITIONS,
    can_transition,
    is_terminal_state,
    shortest_path,
)
from aetherops.workflow.store import EventStore
from aetherops.workflow.stored.background import in_background, run_in_background

__all__ = [
    "KINDS",
    "STAGES",
    "STATES",
    "TERMINAL_STATES",
    "TRANSITIONS",
    "Approval",
    "ApprovalGranted",
    "ApprovalRefused",
    "ApprovalRequested",
    "ArtifactAttached",
    "Attempt",
    "ConcurrencyError",
    "DamagedEventError",
    "DuplicateEventError",
    "EventCodec",
    "EventLoopError",
    "EventStore",
    "FencedError",
    "IllegalMoveError",
    "MemoryEventStore",
    "MissingEventError",
    "MissionPipeline",
    "NotYetCreatedError",
    "OwnerAssigned",
    "SnapshotTaken",
    "StageAdvanced",
    "StageRolledBack",
    "Step",
    "StepCompleted",
    "StepFailed",
    "StepStarted",
    "TimerCancelled",
    "TimerFired",
    "TimerSet",
    "UnknownBeforeMigrationError",
    "UnknownKindError",
    "UnknownSchemaVersionError",
    "UnreadableEventError",
    "Upcasters",
    "WorkflowCancelled",
    "WorkflowCompleted",
    "WorkflowCreated",
    "WorkflowEngine",
    "WorkflowEvent",
    "WorkflowFailed",
    "WorkflowMoved",
    "WorkflowNotFoundError",
    "WorkflowPaused",
    "WorkflowProjection",
    "WorkflowResumed",
    "WorkflowState",
    "can_transition",
    "event_kind",
    "in_background",
    "is_terminal_state",
    "require_known",
    "run_in_background",
    "safe_advance",
    "shortest_path",
    "state_from_json",
    "state_to_json",
    "uuid7",
]

__dir__ = public_names(__name__)

"""How much one workflow may hold: what a command that takes it beyond is refused with.

A state is read, folded and answered whole, and a list names what is open in each workflow of its
page: both are bounded by what commands let in. What ends a workflow or an attempt is let in always,
as long as it says little.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aetherops.errors import LimitExceededError
from aetherops.workflow.events import kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aetherops.workflow.events.base import WorkflowEvent
    from aetherops.workflow.state import WorkflowState

__all__ = ["MAX_OPEN", "MAX_STATE_BYTES", "MAX_WORDS", "require_room"]

#: What a state holds, as JSON, as far as clients choose it.
MAX_STATE_BYTES = 8 << 20
#: The most steps that run, approvals that wait, and timers that are set, in one workflow.
MAX_OPEN = 256
#: The most characters in an error, a reason or a comment: lists and timelines show them whole.
MAX_WORDS = 10_000

_GROWS = (
    kinds.StepStarted,
    kinds.ApprovalRequested,
    kinds.TimerSet,
    kinds.ArtifactAttached,
    kinds.StageAdvanced,
)
_WORDS = ("error", "reason", "comment")
_SAYS_LITTLE = 1024
# Of an attempt, an approval or a timer, beside the texts that are counted: instants and names.
_BYTES_EACH = 200


def require_room(after: WorkflowState, event: WorkflowEvent) -> None:
    """Make sure that a workflow stays within its bounds with an event.

    Parameters
    ----------
    after : the state that the event leads to.

    Raises
    ------
    LimitExceededError
        It does not; the error names the bound.
    """
    for name in _WORDS:
        words = event.payload.get(name)
        if isinstance(words, str):
            _require(f"characters in {name}", MAX_WORDS, len(words))
    if isinstance(event, _GROWS):
        for what, count in _open(after):
            _require(f"{what} in one workflow", MAX_OPEN, count)
    if isinstance(event, _GROWS) or _bytes(event.payload) > _SAYS_LITTLE:
        _require("bytes in the state of a workflow", MAX_STATE_BYTES, _state_bytes(after))


def _open(state: WorkflowState) -> Iterator[tuple[str, int]]:
    yield "running steps", sum(one.status == "running" for one in state.steps.values())
    yield "waiting approvals", sum(one.status == "requested" for one in state.approvals.values())
    yield "timers", len(state.timers)


def _state_bytes(state: WorkflowState) -> int:
    attempts = [one for step in state.steps.values() for one in step.attempts]
    said = [
        [state.artifacts, state.input, state.result, state.error, state.stage_log],
        [[one.name, one.result] for one in state.steps.values()],
        [[one.executor, one.error] for one in attempts],
        [[one.name, one.role, one.decided_by, one.comment] for one in state.approvals.values()],
        list(state.timers),
    ]
    count = len(attempts) + len(state.approvals) + len(state.timers)
    return _bytes(said) + _BYTES_EACH * count


def _bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str).encode())


def _require(what: str, limit: int, count: int) -> None:
    if count > limit:
        raise LimitExceededError(what, limit, count)

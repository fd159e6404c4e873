"""A state as JSON that is quick to read: attempts as columns, their times in microseconds.

Only for what was written here. What others write goes through `state_json`, which checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aetherops.workflow.json_values import freeze_json
from aetherops.workflow.state import Approval, Attempt, Step, WorkflowState
from aetherops.workflow.state_json import state_to_json

__all__ = ["dump_state", "restore_state"]

_instant = datetime.fromisoformat


def dump_state(state: WorkflowState) -> dict[str, Any]:
    """The state as JSON for `restore_state`."""
    data = state_to_json(state)
    for name, step in state.steps.items():
        data["steps"][name]["attempts"] = list(zip(*step.attempts, strict=True))
    return data


def restore_state(data: Mapping[str, Any]) -> WorkflowState:
    """What `dump_state` was given, from what it made; for data whose digest was checked."""
    return WorkflowState(**{name: _read(name, value) for name, value in data.items()})


def _attempts(columns: list[list[Any]]) -> tuple[Attempt, ...]:
    """Attempts by columns: most of a long state is these."""
    return tuple(map(Attempt._make, zip(*columns, strict=True)))


def _read(name: str, value: Any) -> Any:
    if (read := _FIELDS.get(name)) is not None:
        return read(value)
    return tuple(value) if isinstance(value, list) else value


def _maybe(text: str | None) -> datetime | None:
    return None if text is None else _instant(text)


def _json(value: Any) -> Any:
    return value if value is None else freeze_json(value, "value")


def _step(data: dict[str, Any]) -> Step:
    return Step(data["name"], data["status"], _attempts(data["attempts"]), _json(data["result"]))


def _approval(data: dict[str, Any]) -> Approval:
    times = {name: _maybe(data[name]) for name in ("requested_at", "until", "decided_at")}
    return Approval(**{**data, **times})


# All others are text, numbers, or lists of these.
_FIELDS: dict[str, Callable[[Any], Any]] = {
    "input": _json,
    "steps": lambda data: {name: _step(one) for name, one in data.items()},
    "approvals": lambda data: {name: _approval(one) for name, one in data.items()},
    "timers": lambda data: {name: _instant(one) for name, one in data.items()},
    "artifacts": lambda data: {name: _json(one) for name, one in data.items()},
    "result": _json,
    "created_at": _maybe,
    "updated_at": _maybe,
    "known_since": _maybe,
}

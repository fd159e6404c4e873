"""A state as JSON and back: for snapshots, answers, and comparing two states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from aetherops.errors import InvalidInputError
from aetherops.instants import to_us
from aetherops.workflow.checks import (
    Check,
    boolean,
    count,
    form,
    instant_from_json,
    name_text,
    optional,
    positive,
    stage,
    state,
    text,
)
from aetherops.workflow.json_values import freeze_json
from aetherops.workflow.state import Approval, Attempt, Step, WorkflowState
from aetherops.workflow.states import STAGES

__all__ = ["state_from_json", "state_to_json"]

_Record = TypeVar("_Record")


def state_to_json(state: WorkflowState) -> dict[str, Any]:
    """The state as an object of JSON, its fields by name, instants as ISO 8601 text."""
    return {f.name: _plain(getattr(state, f.name)) for f in fields(state)}


def state_from_json(data: object, field: str = "state") -> WorkflowState:
    """The state that an object says; what it does not say is as before the first event.

    Raises
    ------
    InvalidInputError
        A field that states do not have, or a value of another kind; the error names it.
    """
    return _state({"workflow_id": "unnamed", **_object(data, field)}, field)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Attempt):
        return {name: _plain(getattr(value, name)) for name in _ATTEMPT}
    if isinstance(value, Step):
        return {name: _plain(item) for name, item in value._asdict().items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, Approval):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return value


def _object(value: object, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInputError(field, value, "an object")
    return value


def _one_of(*names: str) -> Check:
    def checked(value: object, field: str) -> str:
        if value not in names:
            raise InvalidInputError(field, value, f"one of {', '.join(names)}")
        return str(value)

    return checked


def _tuple_of(check: Check) -> Check:
    def checked(value: object, field: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise InvalidInputError(field, value, "a list")
        return tuple(check(item, f"{field}[{i}]") for i, item in enumerate(value))

    return checked


def _mapping_of(check: Check) -> Check:
    def checked(value: object, field: str) -> dict[str, Any]:
        return {
            text(name, f"{field} key"): check(item, f"{field}.{name}")
            for name, item in _object(value, field).items()
        }

    return checked


def _by_name(check: Check) -> Check:
    """Records under the names that they say themselves."""

    def checked(value: object, field: str) -> dict[str, Any]:
        records: dict[str, Any] = _mapping_of(check)(value, field)
        for name, record in records.items():
            if record.name != name:
                raise InvalidInputError(f"{field}.{name}.name", record.name, f"its key, {name}")
        return records

    return checked


def _tries(value: object, field: str) -> tuple[Any, ...]:
    tries: tuple[Any, ...] = _tuple_of(_attempt)(value, field)
    if not tries:
        raise InvalidInputError(field, value, "one attempt at least")
    return tries


def _record(
    make: Callable[..., _Record], checks: Mapping[str, Check], value: object, field: str
) -> _Record:
    given = _object(value, field)
    if unknown := given.keys() - checks.keys():
        name = min(unknown)
        expected = f"one of the fields {', '.join(sorted(checks))}"
        raise InvalidInputError(f"{field}.{name}", given[name], expected)
    if missing := [name for name in _REQUIRED.get(make, ()) if name not in given]:
        raise InvalidInputError(field, value, f"an object with {', '.join(missing)}")
    return make(**{name: checks[name](item, f"{field}.{name}") for name, item in given.items()})


def _made_attempt(
    number: int,
    status: str,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    executor: str | None = None,
    error: str | None = None,
    retry_at: datetime | None = None,
) -> Attempt:
    started_us, ended_us, retry_us = (
        None if at is None else to_us(at) for at in (started_at, ended_at, retry_at)
    )
    return Attempt(number, status, started_us, ended_us, executor, error, retry_us)


def _stage_index(value: object, field: str) -> int:
    if count(value, field) >= len(STAGES):
        raise InvalidInputError(field, value, f"0 to {len(STAGES) - 1}")
    return count(value, field)


_REQUIRED: dict[object, tuple[str, ...]] = {
    Attempt: ("number", "status"),
    Step: ("name", "status", "attempts"),
    Approval: ("name", "status"),
}
_maybe_instant = optional(instant_from_json)
_ATTEMPT = {
    "number": positive,
    "status": _one_of("running", "completed", "failed"),
    "started_at": _maybe_instant,
    "ended_at": _maybe_instant,
    "executor": optional(name_text),
    "error": optional(text),
    "retry_at": _maybe_instant,
}
_attempt = partial(_record, _made_attempt, _ATTEMPT)
_step = partial(
    _record,
    Step,
    {
        "name": name_text,
        "status": _one_of("running", "completed", "failed"),
        "attempts": _tries,
        "result": freeze_json,
    },
)
_approval = partial(
    _record,
    Approval,
    {
        "name": name_text,
        "status": _one_of("requested", "granted", "refused"),
        "role": name_text,
        "requested_at": _maybe_instant,
        "until": _maybe_instant,
        "decided_at": _maybe_instant,
        "decided_by": optional(name_text),
        "comment": text,
    },
)
_state = partial(
    _record,
    WorkflowState,
    {
        "workflow_id": name_text,
        "version": count,
        "name": name_text,
        "owner": optional(name_text),
        "form": form,
        "input": freeze_json,
        "status": state,
        "history": _tuple_of(state),
        "paused": boolean,
        "steps": _by_name(_step),
        "approvals": _by_name(_approval),
        "timers": _mapping_of(instant_from_json),
        "artifacts": _mapping_of(freeze_json),
        "stage_index": _stage_index,
        "completed_stages": _tuple_of(stage),
        "stage_log": _tuple_of(name_text),
        "result": freeze_json,
        "error": optional(text),
        "created_at": _maybe_instant,
        "updated_at": _maybe_instant,
        "known_since": _maybe_instant,
        "irregular": _tuple_of(positive),
    },
)

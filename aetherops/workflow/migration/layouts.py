"""What the attributes of the two classes were called, from the first version to today's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aetherops.errors import InvalidInputError
from aetherops.workflow.states import STAGES, STATES

__all__ = ["CLASSES", "ENGINE_ATTRIBUTES", "PIPELINE_ATTRIBUTES", "class_of", "state_fields"]

#: By today's attribute: every name that it had. One version kept only the history, another only the
#: index of the stage.
ENGINE_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "state": ("state", "_state"),
    "history": ("history", "_history"),
}
PIPELINE_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "stage_index": ("stage_index", "_stage_index", "_index"),
    "completed_stages": ("completed_stages", "_completed_stages"),
    "artifacts": ("artifacts", "_artifacts"),
    "transition_log": (
        "_transition_log",
        "transition_log",
        "transition_log_",
        "_log",
        "log",
        "_transitions",
    ),
}
_ATTRIBUTES = {"WorkflowEngine": ENGINE_ATTRIBUTES, "MissionPipeline": PIPELINE_ATTRIBUTES}
#: The classes whose objects can be captured.
CLASSES = tuple(_ATTRIBUTES)


def class_of(attributes: Mapping[str, object], field: str) -> str:
    """Which of the two classes has such attributes.

    Raises
    ------
    InvalidInputError
        Neither, or it cannot be told.
    """
    fitting = [
        name
        for name, known in _ATTRIBUTES.items()
        if any(attributes.keys() & set(names) for names in known.values())
    ]
    if len(fitting) != 1:
        expected = "the attributes of a WorkflowEngine (state, history) or of a MissionPipeline"
        raise InvalidInputError(field, sorted(attributes), f"{expected} (stage_index, …)")
    return fitting[0]


def state_fields(class_name: str, attributes: Mapping[str, object], field: str) -> dict[str, Any]:
    """The fields of `WorkflowState` that the attributes of an object tell; values unchecked.

    Parameters
    ----------
    class_name : one of `CLASSES`.
    attributes : by name, of any version.
    field : whose they are, for the error.

    Raises
    ------
    InvalidInputError
        An attribute that no version had, one that is given twice, or none that says where it is.
    """
    today = _named_as_today(_ATTRIBUTES[class_name], attributes, field)
    return _engine(today, field) if class_name == "WorkflowEngine" else _pipeline(today, field)


def _named_as_today(
    names: Mapping[str, tuple[str, ...]], attributes: Mapping[str, object], field: str
) -> dict[str, object]:
    today_of = {earlier: today for today, known in names.items() for earlier in known}
    named: dict[str, object] = {}
    for name, value in attributes.items():
        if name not in today_of:
            raise InvalidInputError(f"{field}.{name}", value, f"one of {', '.join(today_of)}")
        if today_of[name] in named:
            raise InvalidInputError(f"{field}.{name}", value, f"one name for {today_of[name]}")
        named[today_of[name]] = value
    return named


def _engine(today: Mapping[str, object], field: str) -> dict[str, Any]:
    history = _list(today.get("history", []), f"{field}.history")
    if not history and "state" not in today:
        raise InvalidInputError(field, dict(today), "a state, or a history")
    state = today.get("state", history[-1] if history else None)
    return {"form": "workflow", "status": state, "history": history or [state]}


def _pipeline(today: Mapping[str, object], field: str) -> dict[str, Any]:
    if "stage_index" not in today:
        raise InvalidInputError(field, sorted(today), "a stage_index")
    index = today["stage_index"]
    completed = today.get("completed_stages", STAGES[:index] if isinstance(index, int) else [])
    log = _list(today.get("transition_log", []), f"{field}.transition_log")
    return {
        "form": "mission",
        "history": [STATES[0]],
        "stage_index": index,
        "completed_stages": _list(completed, f"{field}.completed_stages"),
        "stage_log": _left_forward(log, f"{field}.transition_log"),
        "artifacts": today.get("artifacts", {}),
    }


def _left_forward(log: list[Any], field: str) -> list[Any]:
    """The stages that were left forward; one version logged every move as ``{"from", "to"}``."""
    left = []
    for i, entry in enumerate(log):
        if not isinstance(entry, dict):
            left.append(entry)
            continue
        source, target = entry.get("from"), entry.get("to")
        if source not in STAGES or target not in STAGES:
            raise InvalidInputError(f"{field}[{i}]", entry, "the stages from and to")
        if STAGES.index(target) > STAGES.index(source):
            left.append(source)
    return left


def _list(value: object, field: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise InvalidInputError(field, value, "a list")
    return list(value)

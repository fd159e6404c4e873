"""The state of a workflow that lived before events were kept, as the snapshot that begins them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.workflow.checks import name_text
from aetherops.workflow.engine import WorkflowEngine
from aetherops.workflow.events.codec import MAX_PAYLOAD_BYTES
from aetherops.workflow.events.kinds import SnapshotTaken
from aetherops.workflow.json_values import freeze_json
from aetherops.workflow.migration.layouts import state_fields
from aetherops.workflow.pipeline import MissionPipeline
from aetherops.workflow.state import WorkflowState
from aetherops.workflow.state_json import state_from_json, state_to_json
from aetherops.workflow.stored.engine import StoredWorkflowEngine
from aetherops.workflow.stored.pipeline import StoredMissionPipeline

__all__ = ["Captured", "capture", "capture_attributes"]

_NESTING = (list, tuple, set, frozenset)
_COUNTED = (str, bytes, bytearray, Mapping, *_NESTING)


@dataclass(frozen=True, slots=True)
class Captured:
    """A workflow as it was when it was captured.

    Parameters
    ----------
    state : everything that is known of it.
    source : what it was captured from (``"WorkflowEngine"``).
    as_text : the artifacts that JSON cannot hold, of which the text is kept.
    """

    state: WorkflowState
    source: str
    as_text: tuple[str, ...] = ()

    @property
    def workflow_id(self) -> str:
        """Under which id it goes on."""
        return self.state.workflow_id

    def snapshot(self, actor: str = "system") -> SnapshotTaken:
        """The event that its history begins with, version 1; a new one each time."""
        return SnapshotTaken(
            workflow_id=self.workflow_id,
            actor=actor,
            state=state_to_json(self.state),
            source=self.source,
        )


def capture(
    living: WorkflowEngine | MissionPipeline,
    workflow_id: str,
    *,
    name: str = "workflow",
    owner: str | None = None,
    artifacts_as_text: bool = False,
) -> Captured:
    """Capture an object of a running program; it stays as it is.

    Parameters
    ----------
    living : kept in memory alone.
    workflow_id : under which its events will be kept.
    name, owner : what kind of work it is, and who answers for it.
    artifacts_as_text : keep the ``repr`` of an artifact that JSON cannot hold.

    Raises
    ------
    InvalidInputError
        No such object, a value that its class does not have, or an artifact that JSON cannot hold;
        the error names it.
    LimitExceededError
        More than one event may hold.
    """
    class_name = next(
        (cls.__name__ for cls in (WorkflowEngine, MissionPipeline) if isinstance(living, cls)), None
    )
    if class_name is None or isinstance(living, StoredWorkflowEngine | StoredMissionPipeline):
        expected = "a WorkflowEngine or a MissionPipeline in memory"
        raise InvalidInputError("living", type(living).__name__, expected)
    return capture_attributes(
        class_name,
        vars(living),
        workflow_id,
        name=name,
        owner=owner,
        artifacts_as_text=artifacts_as_text,
    )


def capture_attributes(
    class_name: str,
    attributes: Mapping[str, Any],
    workflow_id: str,
    *,
    name: str = "workflow",
    owner: str | None = None,
    artifacts_as_text: bool = False,
) -> Captured:
    """Capture what an object had, by the names of any version; see `capture`."""
    field = name_text(workflow_id, "workflow_id")
    _require_bounded(attributes, field)
    told = state_fields(class_name, attributes, field)
    as_text: tuple[str, ...] = ()
    if artifacts_as_text and isinstance(told.get("artifacts"), dict):
        told["artifacts"], as_text = _with_texts(told["artifacts"])
    state = state_from_json(
        {**told, "workflow_id": workflow_id, "name": name, "owner": owner}, field
    )
    return Captured(state, class_name, as_text)


def _with_texts(artifacts: dict[Any, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The artifacts, of those that JSON cannot hold the text; and the keys of these."""
    held, as_text = {}, []
    for key, value in artifacts.items():
        try:
            held[key] = freeze_json(value, "artifact")
        except InvalidInputError:
            held[key] = _text_of(value, key)
            as_text.append(str(key))
    return held, tuple(as_text)


def _text_of(value: object, key: object) -> str:
    try:
        return ascii(value)
    except Exception as error:  # its class says how it is shown, or it nests too deeply
        raise InvalidInputError(
            f"artifacts.{key}", type(value).__name__, "a value that has a text"
        ) from error


def _require_bounded(attributes: Mapping[str, Any], field: str) -> None:
    """Refuse what repeats or contains itself until no event could hold it, before it is walked."""
    left, waiting = MAX_PAYLOAD_BYTES, list[Any]([attributes])
    while waiting:
        value = waiting.pop()
        left -= 1 + (len(value) if isinstance(value, _COUNTED) else 0)
        if left < 0:
            raise LimitExceededError(
                f"bytes of workflow {field}", MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES - left
            )
        if isinstance(value, Mapping):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, _NESTING):
            waiting += value

"""What the payload of an event may consist of: a check for each type that fields have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aetherops.errors import InvalidInputError
from aetherops.workflow.checks import (
    Check,
    boolean,
    form,
    instant,
    instant_from_json,
    name_text,
    optional,
    positive,
    stage,
    state,
    text,
)
from aetherops.workflow.json_values import freeze_json
from aetherops.workflow.state_json import state_from_json

__all__ = ["FieldType", "field_types"]


class FieldType(NamedTuple):
    """What a field may hold.

    Parameters
    ----------
    check : of a value that an event is made with.
    read : of the same value as JSON has it.
    """

    check: Check
    read: Check


def _state_object(value: object, field: str) -> Any:
    """The whole state of a workflow, as JSON."""
    if not isinstance(value, dict):
        raise InvalidInputError(field, value, "an object")
    frozen = freeze_json(value, field)
    state_from_json(frozen)
    return frozen


def _same(check: Check) -> FieldType:
    return FieldType(check, check)


#: By the way a payload's field is annotated. Other annotations are no fields of events.
_BY_ANNOTATION: dict[str, FieldType] = {
    "str": _same(text),
    "Name": _same(name_text),
    "State": _same(state),
    "Stage": _same(stage),
    "Form": _same(form),
    "Name | None": _same(optional(name_text)),
    "int": _same(positive),
    "bool": _same(boolean),
    "JsonValue": _same(freeze_json),
    "StateJson": _same(_state_object),
    "datetime": FieldType(instant, instant_from_json),
    "datetime | None": FieldType(optional(instant), optional(instant_from_json)),
}


def field_types(annotations: Mapping[str, str], names: Sequence[str]) -> dict[str, FieldType]:
    """The type of each named field, by its annotation as text.

    Raises
    ------
    TypeError
        An annotation that events have no check for: an error of who declares the event.
    """
    unknown = [name for name in names if annotations[name] not in _BY_ANNOTATION]
    if unknown:
        known = ", ".join(_BY_ANNOTATION)
        raise TypeError(f"fields {unknown} of an event are annotated otherwise than {known}")
    return {name: _BY_ANNOTATION[annotations[name]] for name in names}

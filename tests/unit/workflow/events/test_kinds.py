"""Kinds of events: what each says, that it cannot change, and that no bad value gets in."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

import aetherops.workflow
from aetherops.errors import InvalidInputError
from aetherops.workflow import (
    KINDS,
    EventCodec,
    StepCompleted,
    StepFailed,
    StepStarted,
    WorkflowCompleted,
    WorkflowCreated,
    WorkflowEvent,
    event_kind,
)

from .samples import FULL, annotations_of, event_of

KIND_NAMES = sorted(KINDS)
SURROGATE = "\ud800"
NAIVE = datetime(2026, 1, 31, 12)  # noqa: DTZ001 (this is what is refused)
TOO_DEEP = [0]
for _ in range(40):
    TOO_DEEP = [TOO_DEEP]

#: By the annotation of a field: values that it refuses.
BAD: dict[str, list[object]] = {
    "str": [None, 1, b"text", SURROGATE],
    "Name": [None, 1, "", "x" * 201, "a\nb", "\x7f", SURROGATE],
    "State": [None, "launched", "CREATED", 1],
    "Stage": [None, "created", 1],
    "Form": [None, "saga", 1],
    "Name | None": [1, "", "x" * 201],
    "int": [None, 0, -1, 1.0, True, "1", 2**63],
    "bool": [None, 0, "true"],
    "JsonValue": [float("nan"), float("inf"), 2**63, {1: 2}, {1, 2}, b"x", SURROGATE, TOO_DEEP],
    "StateJson": [None, [], {"status": "launched"}, {"colour": 1}, {"version": -1}],
    "datetime": [None, "2026-01-31T12:00:00Z", NAIVE, datetime(1969, 12, 31, tzinfo=UTC)],
    "datetime | None": ["2026-01-31T12:00:00Z", NAIVE],
}
BAD_ENVELOPES: dict[str, list[object]] = {
    "workflow_id": [None, 1, "", "x" * 201, "a\0b"],
    "version": [None, 0, -1, 1.5, True, "1", 2**63],
    "event_id": [None, "01890a5d-ac96-774b-bcce-b302099a8057", 1],
    "occurred_at": [None, 0, "now", NAIVE, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)],
    "actor": [None, "", 1, "x" * 201],
    "correlation_id": ["x", 1],
    "causation_id": ["x", 1],
}


def test_workflow_event_base_class_with_subtypes_workflow_created_step_started_step_completed_step_failed_workflow_completed():  # noqa: E501
    """The client's names, importable from `aetherops.workflow`, and every further kind as well."""
    for subtype in (WorkflowCreated, StepStarted, StepCompleted, StepFailed, WorkflowCompleted):
        assert issubclass(subtype, WorkflowEvent)
        assert getattr(aetherops.workflow, subtype.__name__) is subtype
    for cls in KINDS.values():
        assert getattr(aetherops.workflow, cls.__name__) is cls


def test_the_base_class_is_no_kind_of_event():
    with pytest.raises(TypeError, match="make one of its kinds"):
        WorkflowEvent("burn-7", 1)


def test_an_event_says_who_when_and_why():
    before = datetime.now(UTC)
    event = WorkflowCreated("burn-7")
    assert before <= event.occurred_at <= datetime.now(UTC)
    assert (event.workflow_id, event.version, event.actor) == ("burn-7", 1, "system")
    assert event.event_id.version == 7
    assert (event.correlation_id, event.causation_id) == (None, None)
    assert (event.recorded_at, event.position) == (None, None)


def test_an_instant_is_kept_in_utc():
    noon = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=5)))
    event = WorkflowCreated("burn-7", occurred_at=noon)
    assert event.occurred_at.isoformat() == "2026-01-31T07:00:00+00:00"


def test_names_of_kinds_are_explicit_and_not_those_of_classes():
    assert set(KINDS) == set(FULL)
    for kind, cls in KINDS.items():
        assert cls.kind == kind
        assert cls.__name__ not in kind
        assert cls.schema_version >= 1


def test_kinds_can_be_made_with_their_version_by_position():
    for kind in KIND_NAMES:
        assert event_of(kind).version == 1


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_an_event_cannot_change(kind):
    event = event_of(kind)
    for name in (*event.payload, *event.envelope):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(event, name, None)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(event, name)
    event.payload.clear()
    event.envelope.clear()
    assert event == dataclasses.replace(event)


def test_what_an_event_holds_cannot_change_either():
    given = {"legs": [1, {"dv": 2}]}
    event = WorkflowCreated("burn-7", input=given)
    given["legs"].append(3)
    assert event.input == {"legs": [1, {"dv": 2}]}
    with pytest.raises(TypeError, match="cannot change"):
        event.input["legs"] = []
    with pytest.raises(TypeError, match="cannot change"):
        event.input["legs"][1]["dv"] = 3


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_events_are_equal_when_they_say_the_same(kind):
    event = event_of(kind)
    recorded = event.recorded(datetime(2026, 1, 31, tzinfo=UTC), 7)
    assert recorded == event
    assert hash(recorded) == hash(event)
    assert (recorded.position, event.position) == (7, None)
    assert event_of(kind) != event, "another id is another event"
    for again in (copy.copy(event), copy.deepcopy(event), pickle.loads(pickle.dumps(event))):
        assert again == event
        assert type(again) is type(event)


@pytest.mark.parametrize(
    ("kind", "field", "annotation"),
    [
        (kind, field, annotation)
        for kind in KIND_NAMES
        for field, annotation in annotations_of(KINDS[kind]).items()
    ],
)
def test_a_bad_value_of_a_kind_names_its_field(kind, field, annotation):
    for bad in BAD[annotation]:
        with pytest.raises(InvalidInputError) as refused:
            event_of(kind, **{field: bad})
        assert refused.value.field.split(".")[0].split("[")[0].split(" ")[0] in (field, "state")


@pytest.mark.parametrize(
    ("field", "bad"), [(field, bad) for field, values in BAD_ENVELOPES.items() for bad in values]
)
def test_a_bad_value_that_every_event_has_names_its_field(field, bad):
    with pytest.raises(InvalidInputError) as refused:
        StepStarted(**{"workflow_id": "w", "version": 1, "step": "s", field: bad})
    assert refused.value.field == field


def test_a_time_before_the_epoch_is_refused():
    with pytest.raises(InvalidInputError, match="occurred_at: expected a time from 1970-01-01"):
        WorkflowCreated("w", occurred_at=datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert WorkflowCreated("w", occurred_at=datetime(1970, 1, 1, tzinfo=UTC)).version == 1


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_what_can_be_made_can_be_read_back(kind):
    codec = EventCodec()
    event = event_of(kind, correlation_id=uuid4(), causation_id=uuid4())
    stored = codec.encode(event)
    assert codec.decode(event.kind, event.schema_version, stored, event.envelope) == event


def test_a_program_declares_kinds_of_its_own():
    @event_kind("pump.primed")
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class PumpPrimed(WorkflowEvent):
        flow: int

    codec = EventCodec({**KINDS, PumpPrimed.kind: PumpPrimed})
    event = PumpPrimed("w", 2, flow=3)
    assert codec.decode("pump.primed", 1, codec.encode(event), event.envelope) == event
    with pytest.raises(InvalidInputError, match="flow"):
        PumpPrimed("w", 2, flow=0)


def test_a_field_that_events_cannot_check_is_refused_when_its_kind_is_declared():
    with pytest.raises(TypeError, match="flow"):

        @event_kind("pump.primed")
        @dataclasses.dataclass(frozen=True, kw_only=True)
        class PumpPrimed(WorkflowEvent):
            flow: float


def test_ids_that_are_given_are_kept():
    event_id = UUID(int=1)
    assert WorkflowCreated("w", event_id=event_id).event_id is event_id


def test_a_time_that_utc_cannot_say_is_named() -> None:
    late = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-14)))
    with pytest.raises(InvalidInputError, match="occurred_at: expected a time up to the year 9999"):
        WorkflowCreated("w", occurred_at=late)

"""Payloads: what is written is read back, and what is damaged is named and never half read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.workflow import (
    KINDS,
    ArtifactAttached,
    DamagedEventError,
    EventCodec,
    StepFailed,
    StepStarted,
    UnknownKindError,
    UnknownSchemaVersionError,
    WorkflowCreated,
)
from aetherops.workflow.events.codec import MAX_PAYLOAD_BYTES

from .samples import FULL, event_of, events

CODEC = EventCodec()
ENVELOPE = WorkflowCreated("burn-7").envelope


def decoded(kind: str, data: bytes, schema_version: int = 1):
    return CODEC.decode(kind, schema_version, data, ENVELOPE)


@given(events())
def test_every_event_is_read_back_as_it_was(event):
    data = CODEC.encode(event)
    again = CODEC.decode(event.kind, event.schema_version, data, event.envelope)
    assert again == event
    assert type(again) is type(event)
    assert CODEC.encode(again) == data, "and is written the same again"
    assert hash(again) == hash(event)


@given(events())
def test_a_payload_is_json_that_any_program_reads(event):
    payload = json.loads(CODEC.encode(event).decode("utf-8"))
    assert list(payload) == list(event.payload)


def test_a_payload_is_compact_and_in_the_order_of_the_fields():
    event = event_of("step.failed")
    assert CODEC.encode(event).decode() == (
        '{"step":"ignite","attempt":2,"error":"cold","retry_at":"2026-02-01T12:30:00.250000+00:00"}'
    )
    assert CODEC.encode(ArtifactAttached("w", 1, key="ü")).decode() == '{"key":"ü","value":null}'


def test_what_is_read_cannot_change():
    event = decoded("artifact.attached", b'{"key":"plan","value":{"legs":[1]}}')
    with pytest.raises(TypeError, match="cannot change"):
        event.value["legs"].append(2)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no JSON"),
        (b'{"step":"ign', "no JSON"),
        (b'{"step":"ignite","attempt":1,"executor":null,"input":null', "no JSON"),
        (b"\xff\xfe\xfa", "no JSON"),
        (b'{"step":"\xff"}', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"1" * 5_000, "no JSON"),
        (b"[]", "no object"),
        (b"null", "no object"),
        (b'"step"', "no object"),
        (b"{}", "fields []"),
        (b'{"step":"ignite","attempt":1,"executor":null}', "fields"),
        (b'{"step":"s","attempt":1,"executor":null,"input":null,"extra":1}', "fields"),
        (b'{"step":1,"attempt":1,"executor":null,"input":null}', "step: expected text"),
        (b'{"step":"s","attempt":"1","executor":null,"input":null}', "attempt: expected a whole"),
        (b'{"step":"s","attempt":1.5,"executor":null,"input":null}', "attempt: expected a whole"),
        (b'{"step":"s","attempt":0,"executor":null,"input":null}', "attempt: expected a whole"),
        (b'{"step":"s","attempt":true,"executor":null,"input":null}', "attempt: expected a whole"),
        (b'{"step":"s","attempt":1,"executor":"","input":null}', "executor: expected text"),
        (b'{"step":"s","attempt":1,"executor":null,"input":NaN}', "input: expected a finite"),
        (b'{"step":"s","attempt":1,"executor":null,"input":1e400}', "input: expected a finite"),
        (b'{"step":"\\ud800","attempt":1,"executor":null,"input":null}', "lone surrogates"),
    ],
)
def test_a_damaged_payload_is_named(data, reason):
    with pytest.raises(DamagedEventError) as refused:
        decoded("step.started", data)
    assert (refused.value.kind, refused.value.schema_version) == ("step.started", 1)
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("timer.set", b'{"timer":"t","due_at":"2026-01-31T12:00:00"}', "due_at"),
        ("timer.set", b'{"timer":"t","due_at":"tomorrow"}', "due_at"),
        ("timer.set", b'{"timer":"t","due_at":1769860800}', "due_at"),
        ("timer.set", b'{"timer":"t","due_at":"1969-01-31T12:00:00Z"}', "due_at"),
        ("workflow.moved", b'{"source":"created","target":"moon","reason":""}', "target"),
        ("snapshot.taken", b'{"state":{"status":"moon"},"source":"x"}', "state.status"),
        ("snapshot.taken", b'{"state":[],"source":"x"}', "state"),
    ],
)
def test_a_value_that_no_event_could_have_been_made_with_is_named(kind, data, reason):
    with pytest.raises(DamagedEventError, match=reason):
        decoded(kind, data)


@given(st.sampled_from(sorted(FULL)), st.data())
def test_a_payload_cut_anywhere_is_never_read_as_another(kind, data):
    whole = CODEC.encode(event_of(kind))
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(DamagedEventError):
        decoded(kind, cut)


def test_a_kind_that_nobody_knows_is_named():
    with pytest.raises(UnknownKindError, match=r"'pump\.primed', schema version 1: no such kind"):
        decoded("pump.primed", b"{}")


@pytest.mark.parametrize("schema_version", [0, 2, 99])
def test_a_schema_version_that_this_version_does_not_know_is_named(schema_version):
    with pytest.raises(UnknownSchemaVersionError) as refused:
        decoded("step.started", b"{}", schema_version)
    assert refused.value.schema_version == schema_version


def test_a_payload_of_10_mb_is_refused_with_the_limit():
    event = ArtifactAttached("w", 1, key="plan", value="x" * 10_000_000)
    with pytest.raises(LimitExceededError) as refused:
        CODEC.encode(event)
    assert refused.value.limit == MAX_PAYLOAD_BYTES
    assert refused.value.asked > 10_000_000


def test_a_payload_of_exactly_the_limit_is_written():
    empty = len(CODEC.encode(ArtifactAttached("w", 1, key="k", value="")))
    event = ArtifactAttached("w", 1, key="k", value="x" * (MAX_PAYLOAD_BYTES - empty))
    assert len(CODEC.encode(event)) == MAX_PAYLOAD_BYTES
    with pytest.raises(LimitExceededError):
        CODEC.encode(ArtifactAttached("w", 1, key="k", value=event.value + "x"))


@pytest.mark.parametrize("thing", [None, 1, "step.started", object(), StepFailed])
def test_what_is_no_event_is_not_written(thing):
    with pytest.raises(InvalidInputError, match="event: expected a WorkflowEvent"):
        CODEC.encode(thing)


def test_an_event_that_this_codec_could_not_read_back_is_not_written():
    knows_little = EventCodec({"workflow.created": KINDS["workflow.created"]})
    with pytest.raises(InvalidInputError, match=r"event\.kind"):
        knows_little.encode(StepStarted("w", 2, step="s"))


def test_a_subclass_of_a_kind_is_not_written_as_that_kind():
    class Mine(StepStarted):
        pass

    with pytest.raises(InvalidInputError, match=r"event\.kind"):
        CODEC.encode(Mine("w", 2, step="s"))


def test_another_parser_may_read_the_bytes():
    seen = []

    def parse(data):
        seen.append(data)
        return json.loads(data)

    codec = EventCodec(parse=parse)
    event = event_of("step.started")
    assert codec.decode(event.kind, 1, codec.encode(event), event.envelope) == event
    assert seen == [codec.encode(event)]

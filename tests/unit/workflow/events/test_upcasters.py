"""Events of earlier schemas: upcast on read, step by step, and never rewritten."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from aetherops.errors import InvalidInputError
from aetherops.workflow import (
    KINDS,
    DamagedEventError,
    EventCodec,
    UnknownKindError,
    UnknownSchemaVersionError,
    Upcasters,
    WorkflowCreated,
    WorkflowEvent,
    event_kind,
)
from aetherops.workflow.events.base import Name

ENVELOPE = WorkflowCreated("burn-7").envelope


@event_kind("burn.planned", schema_version=3)
@dataclass(frozen=True, kw_only=True)
class BurnPlanned(WorkflowEvent):
    """Version 1 had `dv`, version 2 called it `dv_ms`, version 3 says for which engine."""

    dv_ms: int
    engine: Name


def kinds():
    return {**KINDS, "burn.planned": BurnPlanned}


def second(payload):
    return {"dv_ms": payload["dv"] * 1000}


def third(payload):
    return {**payload, "engine": "main"}


def upcasters() -> Upcasters:
    chain = Upcasters(kinds())
    chain.add("burn.planned", 1, second)
    chain.add("burn.planned", 2, third)
    return chain


def read(codec, kind, schema_version, data):
    return codec.decode(kind, schema_version, data, ENVELOPE)


def test_event_versioning_supporting_schema_evolution_with_upcasters():
    """The client's sentence: an event of every earlier schema is read as one of today's."""
    codec = EventCodec(kinds(), upcasters())
    today = read(codec, "burn.planned", 3, b'{"dv_ms":2000,"engine":"main"}')
    assert read(codec, "burn.planned", 2, b'{"dv_ms":2000}') == today
    assert read(codec, "burn.planned", 1, b'{"dv":2}') == today
    assert (today.dv_ms, today.engine, today.schema_version) == (2000, "main", 3)


def test_a_renamed_kind_is_read_under_its_name_of_today():
    chain = upcasters()
    chain.add("burn.scheduled", 1, lambda payload: payload, renamed_to="burn.planned")
    codec = EventCodec(kinds(), chain)
    assert read(codec, "burn.scheduled", 1, b'{"dv":2}').dv_ms == 2000


@pytest.mark.parametrize("missing", [1, 2])
def test_a_missing_step_is_found_at_the_start(missing):
    chain = Upcasters(kinds())
    chain.add("burn.planned", 3 - missing, third)
    with pytest.raises(InvalidInputError, match=rf"\('burn.planned', {missing}\)"):
        EventCodec(kinds(), chain)


def test_a_chain_that_never_ends_is_found_at_the_start():
    chain = upcasters()
    chain.add("a", 1, lambda payload: payload, renamed_to="b")
    chain.add("b", 1, lambda payload: payload, renamed_to="a")
    with pytest.raises(InvalidInputError, match="a chain that ends"):
        EventCodec(kinds(), chain)


@pytest.mark.parametrize("start", [("burn.planned", 7), ("burn.cancelled", 1)])
def test_a_chain_that_leads_nowhere_is_found_at_the_start(start):
    chain = upcasters()
    chain.add(*start, lambda payload: payload)
    with pytest.raises(InvalidInputError, match="a chain that ends at a kind of today"):
        EventCodec(kinds(), chain)


def test_one_step_leaves_a_schema_version():
    chain = upcasters()
    with pytest.raises(InvalidInputError, match="one upcaster a kind and schema version"):
        chain.add("burn.planned", 1, second)


def test_a_newer_version_is_named_with_those_that_are_known():
    codec = EventCodec(kinds(), upcasters())
    with pytest.raises(UnknownSchemaVersionError, match="this version knows 1 to 3"):
        read(codec, "burn.planned", 4, b"{}")


def test_a_kind_that_was_never_there_is_unknown():
    codec = EventCodec(kinds(), upcasters())
    with pytest.raises(UnknownKindError, match=r"burn\.scheduled"):
        read(codec, "burn.scheduled", 1, b"{}")


def test_what_an_upcaster_makes_is_checked_as_everything_that_is_read():
    chain = Upcasters(kinds())
    chain.add("burn.planned", 1, second)
    chain.add("burn.planned", 2, lambda payload: {"dv_ms": -1, "engine": "main"})
    codec = EventCodec(kinds(), chain)
    with pytest.raises(DamagedEventError, match="dv_ms"):
        read(codec, "burn.planned", 1, b'{"dv":2}')


@pytest.mark.parametrize("data", [b'{"dv":"two"}', b"{}", b'{"dv":null}'])
def test_a_damaged_payload_is_named_also_where_an_upcaster_meets_it_first(data):
    def strict(payload):
        return {"dv_ms": int(payload["dv"]) * 1000}

    chain = Upcasters(kinds())
    chain.add("burn.planned", 1, strict)
    chain.add("burn.planned", 2, third)
    with pytest.raises(DamagedEventError) as refused:
        read(EventCodec(kinds(), chain), "burn.planned", 1, data)
    assert (refused.value.kind, refused.value.schema_version) == ("burn.planned", 1)


def test_an_event_is_always_written_under_the_schema_of_today():
    codec = EventCodec(kinds(), upcasters())
    event = read(codec, "burn.planned", 1, b'{"dv":2}')
    assert codec.encode(event) == b'{"dv_ms":2000,"engine":"main"}'

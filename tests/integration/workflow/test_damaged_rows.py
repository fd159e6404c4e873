"""Rows that no version of ours wrote: each has its error, and none is believed."""

from __future__ import annotations

import asyncpg
import pytest

from aetherops.workflow import (
    DamagedEventError,
    EventCodec,
    StepCompleted,
    StepStarted,
    UnknownKindError,
    UnknownSchemaVersionError,
    UnreadableEventError,
    WorkflowCreated,
    WorkflowEvent,
    WorkflowProjection,
    uuid7,
)
from aetherops.workflow.postgres import PostgresEventStore

INSERT = """
INSERT INTO workflow_event (position, occurred_us, recorded_us, version, schema_version, event_id,
                            workflow_id, kind, actor, payload)
VALUES (2, 1, 9000000000000000, 2, $1, $2, 'w', $3, 'nobody', $4)
"""

STARTED = b'{"step":"s","attempt":1,"executor":null,"input":null}'


def started(payload: bytes = STARTED, schema_version: int = 1) -> tuple[str, int, bytes]:
    return "step.started", schema_version, payload


def with_step(text: bytes) -> tuple[str, int, bytes]:
    return started(STARTED.replace(b'"s"', text))


def with_attempt(number: bytes) -> tuple[str, int, bytes]:
    return started(STARTED.replace(b":1", b":" + number))


def with_input(value: bytes) -> tuple[str, int, bytes]:
    return started(STARTED.replace(b'"input":null', b'"input":' + value))


def completed(result: bytes) -> tuple[str, int, bytes]:
    return "step.completed", 1, b'{"step":"s","attempt":1,"result":' + result + b"}"


def due(at: bytes) -> tuple[str, int, bytes]:
    return "timer.set", 1, b'{"timer":"t","due_at":"' + at + b'"}'


UNREADABLE = {
    "of an unknown kind": (("step.imagined", 1, STARTED), UnknownKindError),
    "of a newer schema version": (started(schema_version=99), UnknownSchemaVersionError),
    "of schema version 0": (started(schema_version=0), UnknownSchemaVersionError),
}
DAMAGED = {
    "cut": started(STARTED[:-7]),
    "empty": started(b""),
    "not UTF-8": with_step(b'"\xff\xfe"'),
    "a list": started(b"[1,2,3,4]"),
    "nested without end": started(b'{"a":' * 100_000),
    "nested too deep": with_input(b"[" * 40 + b"]" * 40),
    "a result nested too deep": completed(b"[" * 40 + b"]" * 40),
    "a result with a huge number": completed(b'{"a":1' + b"0" * 30 + b"}"),
    "a result that is no number": completed(b"1e999"),
    "a field less": started(b'{"step":"s","attempt":1,"input":1}'),
    "a field more": started(STARTED[:-1] + b',"x":1}'),
    "another field": started(STARTED.replace(b"executor", b"author")),
    "a boolean as a number": with_attempt(b"true"),
    "a float as a number": with_attempt(b"1.0"),
    "text as a number": with_attempt(b'"1"'),
    "a huge number": with_attempt(b"1" + b"0" * 30),
    "a huge number inside": with_input(b'{"a":1' + b"0" * 30 + b"}"),
    "no number at all": with_input(b"NaN"),
    "an input beyond all numbers": with_input(b"1e999"),
    "an input that is not UTF-8": with_input(b'"\xff\xfe"'),
    "a lone surrogate": with_step(b'"\\ud800"'),
    "a name with a control character": with_step(b'"\\u0000"'),
    "an empty name": with_step(b'""'),
    "a time without offset": due(b"2026-01-31T12:00:00"),
    "a time before the epoch": due(b"1969-12-31T23:59:59+00:00"),
    "a state that is none": (
        "workflow.moved",
        1,
        b'{"source":"created","target":"nowhere","reason":""}',
    ),
}
BAD = UNREADABLE | {name: (row, DamagedEventError) for name, row in DAMAGED.items()}


@pytest.mark.integration
@pytest.mark.parametrize("name", BAD)
async def test_a_row_that_cannot_be_read_is_an_error_of_its_own_and_its_neighbours_are_read(
    postgres_store: PostgresEventStore, postgres_pool: asyncpg.Pool, name: str
) -> None:
    (kind, schema_version, payload), error = BAD[name]
    stored = await postgres_store.append(WorkflowCreated("w"))
    async with postgres_pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL aetherops.appending = 'on'")
        await connection.execute(INSERT, schema_version, uuid7(), kind, payload)
    for reading in (
        postgres_store.get_events("w"),
        postgres_store.read_from(0),
        postgres_store.get_events_since(stored.recorded_at or stored.occurred_at),
    ):
        with pytest.raises(error) as unreadable:
            await reading
        assert unreadable.value.kind == kind
        assert unreadable.value.schema_version == schema_version
    assert await postgres_store.get_events("w", until=1) == [stored]
    assert await postgres_store.last_position() == 2
    projection = WorkflowProjection()
    with pytest.raises(error):
        await postgres_store.replay("w", projection)
    assert projection.state == WorkflowProjection.of([stored])


@pytest.mark.parametrize("name", BAD)
def test_the_parser_of_the_standard_library_says_the_same(name: str) -> None:
    (kind, schema_version, payload), error = BAD[name]
    with pytest.raises(UnreadableEventError) as unreadable:
        EventCodec().decode(kind, schema_version, payload, WorkflowCreated("w").envelope)
    assert type(unreadable.value) is error


@pytest.mark.integration
async def test_what_a_payload_may_hold_is_read_back_the_same(
    postgres_store: PostgresEventStore,
) -> None:
    numbers = [0, -(2**63), 2**63 - 1, 1e-320, -0.0, 1.7976931348623157e308, 0.1]
    texts = ["", "\x00", '\u2028 \U0001f680 "\\/', "x" * 1_000_000]
    nested = [[], {}, [[{"a": [1, 2.0, None]}]], {"": {"é": "ß"}}]
    results = [None, True, *numbers, *texts, *nested]
    events: list[WorkflowEvent] = [
        WorkflowCreated("w"),
        *(StepCompleted("w", i, step=f"s{i}", result=r) for i, r in enumerate(results, 2)),
        StepStarted("w", len(results) + 2, step="ünïcödé"),
    ]
    await postgres_store.append_many(events)
    read = await postgres_store.get_events("w")
    assert read == events
    # As text, too: 0.0 and -0.0, True and 1 are equal.
    assert [repr(e.payload) for e in read] == [repr(e.payload) for e in events]

"""A state folded off rows is the state that their events say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from aetherops.errors import AetherOpsError
from aetherops.instants import from_us
from aetherops.workflow import (
    ApprovalGranted,
    DamagedEventError,
    EventCodec,
    MissingEventError,
    SnapshotTaken,
    StepCompleted,
    StepFailed,
    StepStarted,
    WorkflowCompleted,
    WorkflowCreated,
    WorkflowEvent,
    WorkflowPaused,
    WorkflowProjection,
    WorkflowResumed,
    WorkflowState,
    state_to_json,
)
from aetherops.workflow.events.base import event_kind
from aetherops.workflow.events.kinds import KINDS
from aetherops.workflow.postgres.replaying import Replayer
from aetherops.workflow.postgres.rows import to_us

CODEC = EventCodec(parse=msgspec.json.decode)


def row(event: WorkflowEvent) -> tuple[Any, ...]:
    at_us = to_us(event.occurred_at)
    payload = CODEC.encode(event)
    return event.kind, event.schema_version, event.version, at_us, payload, event.actor


def replayed(events: Sequence[WorkflowEvent], before: WorkflowState | None = None) -> WorkflowState:
    projection = WorkflowProjection(before)
    Replayer(CODEC).take(projection, "w", map(row, events))  # type: ignore[arg-type]
    return projection.state


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
STEP = {"step": st.sampled_from(["ignite", "coast", "ünïcödé"]), "attempt": st.integers(1, 3)}
EXECUTOR = st.sampled_from([None, "node-1", "node-2"])
#: What happens after the first event, also where the rules do not allow it.
HAPPENING = st.one_of(
    st.tuples(st.just(StepStarted), st.fixed_dictionaries({**STEP, "executor": EXECUTOR})),
    st.tuples(st.just(StepStarted), st.fixed_dictionaries({**STEP, "input": JSON})),
    st.tuples(st.just(StepCompleted), st.fixed_dictionaries({**STEP, "result": JSON})),
    st.tuples(st.just(StepFailed), st.fixed_dictionaries({**STEP, "error": st.text(max_size=3)})),
    st.tuples(st.sampled_from([WorkflowPaused, WorkflowResumed, WorkflowCompleted]), st.just({})),
    st.tuples(st.just(ApprovalGranted), st.just({"approval": "go"})),
    st.tuples(
        st.just(SnapshotTaken),
        st.just({"state": state_to_json(WorkflowState("w")), "source": "WorkflowEngine"}),
    ),
)


@given(st.lists(HAPPENING, max_size=30), st.data())
def test_any_history_is_replayed_into_the_state_that_its_events_say_from_any_cut(
    happenings: list[tuple[Any, dict[str, Any]]], data: st.DataObject
) -> None:
    events: list[WorkflowEvent] = [WorkflowCreated("w")]
    for kind, payload in happenings:
        events.append(kind("w", len(events) + 1, actor="ann", **payload))
    cut = data.draw(st.integers(0, len(events)))
    said = WorkflowProjection.of(events)

    state = replayed(events[cut:], WorkflowProjection.of(events[:cut]) if cut else None)

    # As text, too: True and 1 are equal, and so are frozen containers and others.
    assert (state, repr(state)) == (said, repr(said))


def test_a_snapshot_amid_a_history_begins_its_steps_anew() -> None:
    events = [
        WorkflowCreated("w"),
        StepStarted("w", 2, step="a"),
        StepCompleted("w", 3, step="a", result=[1]),
        SnapshotTaken("w", 4, state=state_to_json(WorkflowState("w")), source="WorkflowEngine"),
        StepCompleted("w", 5, step="a", result={"b": [2]}),
    ]
    assert replayed(events) == WorkflowProjection.of(events)
    assert replayed(events).steps["a"].result == {"b": [2]}


def test_what_a_replayed_state_holds_cannot_be_changed() -> None:
    events = [WorkflowCreated("w"), StepCompleted("w", 2, step="a", result={"dv": 1.5})]
    with pytest.raises(TypeError, match="cannot change"):
        replayed(events).steps["a"].result["dv"] = 2.0


@pytest.mark.parametrize("step", [StepStarted("w", 3, step="a"), StepCompleted("w", 3, step="a")])
def test_a_version_that_is_missing_is_named(step: WorkflowEvent) -> None:
    with pytest.raises(MissingEventError, match="2"):
        replayed([WorkflowCreated("w"), step])


def test_a_program_that_reads_steps_as_a_class_of_its_own_is_asked_for_each() -> None:
    @event_kind("step.started")
    class Ours(StepStarted):
        pass

    codec = EventCodec(kinds={**KINDS, "step.started": Ours}, parse=msgspec.json.decode)
    projection = WorkflowProjection()
    rows = [row(WorkflowCreated("w")), row(StepStarted("w", 2, step="a"))]
    Replayer(codec).take(projection, "w", rows)  # type: ignore[arg-type]
    assert projection.state.steps == {}  # to the projection it is a kind of the program's own


#: What no event could have held, where a state may never show it.
FOREIGN = {
    "a huge number": b"1" + b"0" * 30,
    "a huge number inside": b'{"a":1' + b"0" * 30 + b"}",
    "nested too deep": b"[" * 40 + b"]" * 40,
    "beyond all numbers": b"1e999",
    "not UTF-8": b'"\xff\xfe"',
    "a lone surrogate": b'"\\ud800"',
}


@pytest.mark.parametrize("value", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize(
    "step",
    [StepStarted("w", 3, step="a", input=0), StepCompleted("w", 3, step="a", result=0)],
    ids=["input", "result of a step that had one"],
)
def test_what_no_state_shows_has_to_be_readable_all_the_same(
    step: WorkflowEvent, value: bytes
) -> None:
    *whole, spoilt = map(
        row, (WorkflowCreated("w"), StepCompleted("w", 2, step="a", result=1), step)
    )
    payload = spoilt[4].removesuffix(b"0}") + value + b"}"
    rows = [*whole, (*spoilt[:4], payload, spoilt[5])]
    with pytest.raises(DamagedEventError):
        Replayer(CODEC).take(WorkflowProjection(), "w", rows)  # type: ignore[arg-type]


#: What may become of a payload on a disk, or under somebody else's hand: where, what, instead of
#: how many bytes.
SPOILING = st.tuples(
    st.integers(0, 80),
    st.binary(max_size=3)
    | st.sampled_from([b"1e999", b"-0", b'"', b"\\ud800", b"{}", b"[[", b","]),
    st.integers(0, 3),
)


@given(st.lists(HAPPENING, min_size=1, max_size=4), SPOILING)
def test_a_spoilt_payload_has_the_error_or_the_state_that_its_event_has(
    happenings: list[tuple[Any, dict[str, Any]]], spoiling: tuple[int, bytes, int]
) -> None:
    events = [kind("w", version, **says) for version, (kind, says) in enumerate(happenings, 2)]
    *before, last = map(row, (WorkflowCreated("w"), *events))
    payload, (start, text, length) = last[4], spoiling
    start %= len(payload)
    spoilt = payload[:start] + text + payload[start + length :]
    rows = [*before, (*last[:4], spoilt, last[5])]
    assert outcome(fold_rows, rows) == outcome(fold_events, rows)


def fold_rows(rows: Sequence[Any]) -> WorkflowState:
    projection = WorkflowProjection()
    Replayer(CODEC).take(projection, "w", rows)
    return projection.state


def fold_events(rows: Sequence[Any]) -> WorkflowState:
    projection = WorkflowProjection()
    for kind, schema_version, version, at_us, payload, actor in rows:
        envelope = WorkflowCreated("w", occurred_at=from_us(at_us), actor=actor).envelope
        event = CODEC.decode(kind, schema_version, payload, envelope | {"version": version})
        projection.apply(event)
    return projection.state


def outcome(fold: Callable[[Sequence[Any]], WorkflowState], rows: Sequence[Any]) -> object:
    """The state as text, so that 1, 1.0 and True differ; or the error."""
    try:
        return repr(fold(rows))
    except AetherOpsError as error:
        return type(error), str(error)

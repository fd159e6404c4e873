"""One event of each kind with every field given, and strategies that draw any event."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from aetherops.workflow import KINDS, STAGES, STATES, WorkflowEvent, WorkflowState, state_to_json
from aetherops.workflow.checks import FORMS

SOON = datetime(2026, 2, 1, 12, 30, 0, 250_000, tzinfo=UTC)

#: What each kind says, every field given.
FULL: dict[str, dict[str, Any]] = {
    "workflow.created": {
        "name": "orbit-raise",
        "owner": "ann",
        "form": "mission",
        "input": {"dv": 1.5, "legs": [1, 2]},
    },
    "workflow.moved": {"source": "created", "target": "validated", "reason": "checked twice"},
    "step.started": {
        "step": "ignite",
        "attempt": 2,
        "executor": "node-1",
        "input": {"throttle": 1},
    },
    "step.completed": {"step": "ignite", "attempt": 2, "result": {"dv": 1.5}},
    "step.failed": {"step": "ignite", "attempt": 2, "error": "cold", "retry_at": SOON},
    "workflow.completed": {"result": "in orbit"},
    "workflow.failed": {"error": "no thrust"},
    "workflow.cancelled": {"reason": "window lost"},
    "workflow.paused": {"reason": "storm"},
    "workflow.resumed": {"reason": "clear"},
    "owner.assigned": {"owner": "bo"},
    "approval.requested": {"approval": "burn-go", "role": "flight-director", "until": SOON},
    "approval.granted": {"approval": "burn-go", "comment": "go"},
    "approval.refused": {"approval": "burn-go", "comment": "no go"},
    "timer.set": {"timer": "window", "due_at": SOON},
    "timer.fired": {"timer": "window"},
    "timer.cancelled": {"timer": "window"},
    "artifact.attached": {"key": "plan", "value": [None, True, -1, 0.5, "ü"]},
    "stage.advanced": {"source": "planning", "target": "validation"},
    "stage.rolled-back": {"source": "validation", "target": "planning"},
    "snapshot.taken": {
        "state": {"status": "review", "history": ["created", "review"]},
        "source": "WorkflowEngine",
    },
}


def event_of(kind: str, **changes: Any) -> WorkflowEvent:
    """An event of a kind with every field given."""
    return KINDS[kind]("burn-7", 1, **{**FULL[kind], **changes})


def annotations_of(cls: type[WorkflowEvent]) -> dict[str, str]:
    """How each field of a kind's payload is annotated."""
    return {f.name: str(f.type) for f in dataclasses.fields(cls) if f.name in cls.payload_fields}


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
names = st.text(
    st.characters(
        exclude_categories=["Cs"], exclude_characters=[chr(i) for i in (*range(32), 127)]
    ),
    min_size=1,
    max_size=30,
)
instants = st.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001 (hypothesis adds the zone)
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))]),
)
integers = st.integers(-(2**63), 2**63 - 1)
json_values = st.recursive(
    st.none() | st.booleans() | integers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
states = st.builds(
    WorkflowState,
    workflow_id=names,
    name=names,
    owner=st.none() | names,
    input=json_values,
    status=st.sampled_from(STATES),
    history=st.lists(st.sampled_from(STATES), max_size=4).map(tuple),
    timers=st.dictionaries(texts, instants, max_size=2),
    artifacts=st.dictionaries(texts, json_values, max_size=2),
    created_at=st.none() | instants,
).map(state_to_json)

#: By the annotation of a field.
BY_ANNOTATION: dict[str, st.SearchStrategy[Any]] = {
    "str": texts,
    "Name": names,
    "State": st.sampled_from(STATES),
    "Stage": st.sampled_from(STAGES),
    "Form": st.sampled_from(FORMS),
    "Name | None": st.none() | names,
    "int": st.integers(1, 2**63 - 1),
    "bool": st.booleans(),
    "JsonValue": json_values,
    "StateJson": states,
    "datetime": instants,
    "datetime | None": st.none() | instants,
}


@st.composite
def events(draw: st.DrawFn, workflow_id: str | None = None, version: int | None = None) -> Any:
    """Any event of any kind."""
    cls = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    payload = {name: draw(BY_ANNOTATION[text]) for name, text in annotations_of(cls).items()}
    return cls(
        draw(names) if workflow_id is None else workflow_id,
        draw(st.integers(1, 2**63 - 1)) if version is None else version,
        occurred_at=draw(instants),
        actor=draw(names),
        correlation_id=draw(st.none() | st.uuids()),
        causation_id=draw(st.none() | st.uuids()),
        **payload,
    )

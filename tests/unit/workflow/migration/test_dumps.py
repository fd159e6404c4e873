"""Files of workflows, as every version and every program wrote them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.workflow import MissionPipeline, WorkflowEngine, WorkflowState
from aetherops.workflow.migration import (
    MAX_DUMP_BYTES,
    Captured,
    capture,
    read_dump,
    read_dump_file,
)

ENGINE = {"state": "validated", "history": ["created", "validated"]}
PIPELINE = {
    "stage_index": 1,
    "completed_stages": ["planning"],
    "artifacts": {"plan": {"burns": 2}},
    "_transition_log": ["planning", "validation", "planning"],
}
#: The attributes that objects of each class had, version by version, all telling the same.
ENGINE_LAYOUTS = {
    "original and today": ENGINE,
    "a history alone": {"_history": ["created", "validated"]},
    "private names": {"_state": "validated", "_history": ["created", "validated"]},
}
PIPELINE_LAYOUTS = {
    "today": PIPELINE,
    **{
        f"original with {name}": {
            **{key: value for key, value in PIPELINE.items() if key != "_transition_log"},
            name: PIPELINE["_transition_log"],
        }
        for name in ("transition_log_", "_log", "log", "transition_log", "_transitions")
    },
    "an index and moves both ways": {
        "_index": 1,
        "_artifacts": {"plan": {"burns": 2}},
        "_transition_log": [
            {"from": "planning", "to": "validation"},
            {"from": "validation", "to": "preparation"},
            {"from": "preparation", "to": "validation"},
            {"from": "validation", "to": "planning"},
            {"from": "planning", "to": "validation"},
        ],
    },
}


def pickled(cls: type[object], attributes: dict[str, Any], protocol: int = 4) -> bytes:
    """A pickle of an object with the attributes of another version."""
    living = object.__new__(cls)
    vars(living).update(attributes)
    return pickle.dumps(living, protocol)


def one(data: bytes, **options: Any) -> Captured:
    [captured] = read_dump(data, "w", **options)
    return captured


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("layout", ENGINE_LAYOUTS.values(), ids=ENGINE_LAYOUTS)
def test_an_engine_of_every_version_is_captured_from_its_pickle(
    layout: dict[str, Any], protocol: int
) -> None:
    captured = one(pickled(WorkflowEngine, layout, protocol))
    assert captured.source == "WorkflowEngine"
    assert captured.state == WorkflowState(
        "w", status="validated", history=("created", "validated")
    )


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("layout", PIPELINE_LAYOUTS.values(), ids=PIPELINE_LAYOUTS)
def test_a_pipeline_of_every_version_is_captured_from_its_pickle(
    layout: dict[str, Any], protocol: int
) -> None:
    captured = one(pickled(MissionPipeline, layout, protocol))
    assert captured.source == "MissionPipeline"
    assert captured.state == WorkflowState(
        "w",
        form="mission",
        history=("created",),
        stage_index=1,
        completed_stages=("planning",),
        artifacts={"plan": {"burns": 2}},
        stage_log=("planning", "validation", "planning"),
    )


@pytest.mark.parametrize(
    "layout",
    [*ENGINE_LAYOUTS.values(), *PIPELINE_LAYOUTS.values()],
    ids=[*ENGINE_LAYOUTS, *PIPELINE_LAYOUTS],
)
def test_a_dump_in_json_tells_the_same_as_the_pickle(layout: dict[str, Any]) -> None:
    cls = WorkflowEngine if {"_history", "history"} & layout.keys() else MissionPipeline
    assert one(json.dumps(layout).encode()) == one(pickled(cls, layout))


@pytest.mark.parametrize("protocol", range(6))
def test_the_original_module_path_is_known(protocol: int) -> None:
    data = pickle.dumps(WorkflowEngine(), protocol)
    today, original = b"aetherops.workflow.engine", b"aetherops.workflow"
    if protocol >= 4:  # a text with its length before it, and a frame whose length nobody reads
        today, original = b"\x8c\x19" + today, b"\x8c\x12" + original
    assert today in data
    assert one(data.replace(today, original)).state.status == "created"


def test_json_may_say_who_it_is() -> None:
    dump = {"workflow_id": "orbit-raise-7", "name": "orbit-raise", "owner": "ada", **ENGINE}
    state = one(json.dumps({"class": "WorkflowEngine", **dump}).encode()).state
    assert (state.workflow_id, state.name, state.owner) == ("orbit-raise-7", "orbit-raise", "ada")


SEVERAL: dict[str, Callable[[], bytes]] = {
    "a pickled dictionary": lambda: pickle.dumps({"a": WorkflowEngine(), "b": MissionPipeline()}),
    "objects of JSON by id": lambda: json.dumps(
        {"a": {"state": "created"}, "b": {"stage_index": 0}}
    ).encode(),
    "a list of JSON": lambda: json.dumps(
        [{"workflow_id": "a", "state": "created"}, {"workflow_id": "b", "stage_index": 0}]
    ).encode(),
}


@pytest.mark.parametrize("data", SEVERAL.values(), ids=SEVERAL)
def test_a_file_may_hold_several_workflows(data: Callable[[], bytes]) -> None:
    a, b = read_dump(data(), "file")
    assert (a.state.workflow_id, a.state.form) == ("a", "workflow")
    assert (b.state.workflow_id, b.state.form) == ("b", "mission")


def test_what_a_script_assigned_is_captured_as_it_is() -> None:
    pipeline, engine = MissionPipeline(), WorkflowEngine()
    pipeline.stage_index = 4
    engine.state = "review"
    mission = one(pickle.dumps(pipeline)).state
    assert (mission.stage_index, mission.completed_stages) == (4, ())
    assert one(pickle.dumps(engine)).state.history == ("created",)


REFUSED = {
    "a state that is none": ({"state": "paused"}, r"w\.status: expected one of created"),
    "a history of other words": ({"state": "created", "history": ["x"]}, r"w\.history\[0\]"),
    "a history that is text": ({"history": "created"}, r"w\.history: expected a list"),
    "nothing that says where it is": ({"history": []}, "expected a state, or a history"),
    "an attribute of nobody": ({**ENGINE, "note": 1}, r"w\.note: expected one of state"),
    "one attribute under two names": (
        {**ENGINE, "_state": "created"},
        r"w\._state: expected one name for state",
    ),
    "a stage beyond the last": ({"stage_index": 6}, r"w\.stage_index: expected 0 to 5"),
    "a stage before the first": ({"stage_index": -1}, r"w\.stage_index"),
    "a stage that is text": ({"stage_index": "1"}, r"w\.stage_index"),
    "no stage": ({"class": "MissionPipeline", "artifacts": {}}, "expected a stage_index"),
    "a log of numbers": ({"stage_index": 0, "_log": [1]}, r"w\.stage_log\[0\]"),
    "a move to nowhere": ({"stage_index": 0, "_log": [{"from": "planning"}]}, "the stages from"),
    "artifacts in a list": ({"stage_index": 0, "artifacts": [1]}, r"w\.artifacts"),
    "both classes at once": ({**ENGINE, **PIPELINE}, "expected the attributes of a Workflow"),
    "neither class": ({"class": None}, r"dump\.class: expected one of"),
    "a class of another": ({"class": "Engine", **ENGINE}, r"dump\.class: expected one of"),
    "no attribute": ({}, "expected the attributes of a WorkflowEngine"),
    "an owner of numbers": ({**ENGINE, "owner": 7}, r"w\.owner"),
    "an id of numbers": ({**ENGINE, "workflow_id": 7}, "workflow_id: expected text"),
}


@pytest.mark.parametrize(("dump", "message"), REFUSED.values(), ids=REFUSED)
def test_what_no_workflow_has_is_named(dump: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read_dump(json.dumps(dump).encode(), "w")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "JSON in UTF-8"),
        (b'{"state": "created"', "JSON in UTF-8"),
        (b'{"state": "\xff"}', "JSON in UTF-8"),
        (b'{"state": "created", "state": "review"}', "each key once, got 'state'"),
        (b'{"stage_index": ' + b"9" * 5000 + b"}", "JSON in UTF-8"),
        (b'{"stage_index": 0, "artifacts": {"a": NaN}}', r"artifacts\.a: expected a finite"),
        (b"[1]", r"\[0\]: expected an object"),
        (b'[{"state": "created"}]', r"\[0\]\.workflow_id"),
        (
            b'[{"workflow_id": "a", "state": "created"}, {"workflow_id": "a", "state": "review"}]',
            "each workflow once, got 'a'",
        ),
        (b"[" * 200_000, "JSON that a person could read"),
        (b"", "a pickle of"),
        (b"state: created", "a pickle of"),
        (pickle.dumps([WorkflowEngine()]), "a dictionary of these by workflow id"),
        (pickle.dumps({"a": 1}), "a dictionary of these by workflow id"),
        (pickle.dumps({1: WorkflowEngine()}), "workflow_id: expected text"),
        (pickle.dumps({"w": {"state": "created"}}), "a dictionary of these by workflow id"),
    ],
    ids=range(16),
)
def test_what_is_no_dump_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read_dump(data, "w")


def mission_with(value: object) -> bytes:
    pipeline = MissionPipeline()
    pipeline.attach_artifact("plan", 1)
    pipeline.attach_artifact("odd", value)
    return pickle.dumps(pipeline)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\x00\xff", r"b'\x00\xff'"),
        ({1, 2}, "{1, 2}"),
        (1 + 2j, "(1+2j)"),
        (float("nan"), "nan"),
        (2**70, str(2**70)),
        ({1: "one"}, "{1: 'one'}"),
        ("lone \ud800", r"'lone \ud800'"),
    ],
    ids=str,
)
def test_an_artifact_that_json_cannot_hold_is_named_or_kept_as_text(value: Any, text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"w\.artifacts\.odd"):
        one(mission_with(value))
    captured = one(mission_with(value), artifacts_as_text=True)
    assert captured.state.artifacts == {"plan": 1, "odd": text}
    assert captured.as_text == ("odd",)


class Unspeakable:
    """Fails when it is asked for its text."""

    def __repr__(self) -> str:
        raise LookupError("no words")


def test_an_artifact_without_a_text_is_refused_all_the_same() -> None:
    pipeline = MissionPipeline()
    pipeline.attach_artifact("odd", Unspeakable())
    with pytest.raises(InvalidInputError, match=r"artifacts\.odd: expected a value that has"):
        capture(pipeline, "w", artifacts_as_text=True)


@pytest.mark.parametrize("artifacts_as_text", [False, True])
def test_lists_that_repeat_themselves_a_billion_times_are_not_walked(
    artifacts_as_text: bool,
) -> None:
    laughs: list[Any] = ["ha"]
    for _ in range(60):
        laughs = [laughs] * 10
    with pytest.raises(LimitExceededError, match="bytes of workflow w"):
        one(mission_with(laughs), artifacts_as_text=artifacts_as_text)
    itself: list[Any] = []
    itself.append(itself)
    with pytest.raises(LimitExceededError, match="bytes of workflow w"):
        one(mission_with(itself), artifacts_as_text=artifacts_as_text)


def test_an_artifact_larger_than_an_event_may_be_is_refused() -> None:
    with pytest.raises(LimitExceededError, match="bytes of workflow w"):
        one(mission_with("x" * (1 << 20)))


def test_files_have_a_size_and_a_name(tmp_path: Path) -> None:
    (tmp_path / "orbit-raise-7.pkl").write_bytes(pickle.dumps(WorkflowEngine()))
    [captured] = read_dump_file(tmp_path / "orbit-raise-7.pkl")
    assert captured.workflow_id == "orbit-raise-7"
    (tmp_path / "large.json").write_bytes(b"[" + b" " * MAX_DUMP_BYTES)
    with pytest.raises(LimitExceededError, match="bytes of one dump"):
        read_dump_file(tmp_path / "large.json")
    for path in (tmp_path, tmp_path / "absent.json"):
        with pytest.raises(InvalidInputError, match="expected a file to read"):
            read_dump_file(path)

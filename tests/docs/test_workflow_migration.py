"""The page about migration: its examples run, and its table is what the reader of dumps knows."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path

import pytest

from aetherops.workflow.migration import MAX_DUMP_BYTES, read_dump
from aetherops.workflow.migration.layouts import ENGINE_ATTRIBUTES, PIPELINE_ATTRIBUTES
from aetherops.workflow.migration.pickle_values import MAX_OPCODES

PAGE = Path(__file__).parents[2] / "docs" / "workflow-migration.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_examples_give_the_answers_shown() -> None:
    results = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert results.attempted >= 15
    assert results.failed == 0


def test_every_key_of_a_dump_is_in_the_table_and_every_earlier_name_in_the_text() -> None:
    keys = [
        key for line in re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE) for key in line.split(", ")
    ]
    today = {*ENGINE_ATTRIBUTES, *PIPELINE_ATTRIBUTES}
    assert set(keys) == {f"`{key}`" for key in ("workflow_id", "class", "name", "owner", *today)}
    for names in (*ENGINE_ATTRIBUTES.values(), *PIPELINE_ATTRIBUTES.values()):
        for name in names:
            assert f"`{name}`" in TEXT


@pytest.mark.parametrize(
    "dump",
    [
        {"workflow_id": "w", "class": "WorkflowEngine", "name": "n", "owner": "o"}
        | {"state": "created", "history": ["created"]},
        {"workflow_id": "w", "class": "MissionPipeline", "name": "n", "owner": None}
        | {"stage_index": 1, "completed_stages": [], "transition_log": [], "artifacts": {}},
    ],
    ids=["engine", "pipeline"],
)
def test_a_dump_of_every_key_is_read(dump: dict[str, object]) -> None:
    [captured] = read_dump(json.dumps(dump).encode(), "file")
    assert captured.workflow_id == "w"


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{MAX_DUMP_BYTES >> 20} MiB in a file" in TEXT
    assert f"{MAX_OPCODES:,} steps in a pickle" in TEXT

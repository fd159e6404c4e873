"""A workflow is started, approved and executed on `aetherops up`, command by command."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .platforms import Platform, running

pytestmark = pytest.mark.integration

EXAMPLES = Path(__file__).parents[2] / "examples"
ORBIT = '{"semi_major_axis_km": 6778, "wanted_km": 6788}'


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    variables = {
        "AETHEROPS_WORKFLOW_REGISTRY": "burn_campaign:registry",
        "PYTHONPATH": str(EXAMPLES),
    }
    with running(tmp_path_factory.mktemp("execution") / "data", **variables) as platform:
        yield platform


def said(platform: Platform, *arguments: str) -> Any:
    done = platform.run("workflow", *arguments, "--json")
    assert done.status == 0, done.errors
    return json.loads(done.output)


def until(platform: Platform, workflow_id: str, holds: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 60
    while not holds(state := said(platform, "show", workflow_id)):
        assert time.monotonic() < deadline, state
        time.sleep(0.1)
    return state


def test_a_started_workflow_is_executed_and_waits_for_others(platform: Platform) -> None:
    started = said(platform, "start", "burn-campaign", "burn-7", "--input", ORBIT)
    assert started["name"] == "burn-campaign"
    state = until(platform, "burn-7", lambda state: len(state["approvals"]) == 2)
    assert [one["name"] for one in state["approvals"]] == ["go/1", "go/2"]
    # Who began it has no word in it: it is asked for again.
    said(platform, "approve", "burn-7", "go/1")
    until(platform, "burn-7", lambda state: state["approvals"][0]["status"] == "requested")
    said(platform, "refuse", "burn-7", "go/1", "--comment", "conjunction")
    state = until(platform, "burn-7", lambda state: state["status"] == "failed")
    assert "conjunction" in state["error"]
    assert [one["name"] for one in state["steps"]] == ["plan", "go"]


def test_a_burn_that_is_not_worth_it_is_done_at_once(platform: Platform) -> None:
    orbit = '{"semi_major_axis_km": 6788, "wanted_km": 6788}'
    said(platform, "start", "burn-campaign", "burn-8", "--input", orbit)
    until(platform, "burn-8", lambda state: state["status"] == "completed")
    again = platform.run("workflow", "start", "burn-campaign", "burn-8")
    assert again.status == 2


def test_what_nobody_defined_is_not_started(platform: Platform) -> None:
    done = platform.run("workflow", "start", "docking")
    assert done.status == 2
    assert "docking" in done.errors

"""Workflows as an operator works with them, on a platform that is stopped and started again."""

from __future__ import annotations

import json
import pickle
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aetherops.connections.postgres import Postgres
from aetherops.runtime.data_dir.instance import read_instance
from aetherops.runtime.embedded.postgres import running_dsn
from aetherops.workflow import KINDS, WorkflowEngine, in_background, run_in_background

from .platforms import Done, Platform, run, running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    # Not pytest's: its directories are closed to the user that PostgreSQL runs as under root.
    path = Path(tempfile.mkdtemp(prefix="aetherops-workflows-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def platform(directory: Path) -> Iterator[Platform]:
    with running(directory / "data") as started:
        yield started


def workflow(platform: Platform, *arguments: str) -> Done:
    """A command that is done."""
    done = platform.run("workflow", *arguments)
    assert done.status == 0, done.errors
    return done


def shown(platform: Platform, *arguments: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(workflow(platform, "show", *arguments, "--json").output)
    return state


def test_integration_tests_verifying_state_consistency_across_service_restarts(
    directory: Path,
) -> None:
    """Created, worked on, approved; then the platform ends, and another finds the same state."""
    data_dir = directory / "restarted"
    with running(data_dir) as first:
        workflow(first, "create", "burn-7", "--name", "orbit-raise", "--owner", "ann")
        for target in ("validated", "scheduled", "in-progress"):
            workflow(first, "move", "burn-7", target)
        workflow(first, "step", "start", "burn-7", "align", "--executor", "node-1")
        workflow(first, "step", "complete", "burn-7", "align", "--result", '{"deg": 0.1}')
        workflow(first, "ask", "burn-7", "burn-go", "--until", "+1h")
        workflow(first, "approve", "burn-7", "burn-go", "--comment", "go")
        workflow(first, "step", "start", "burn-7", "ignite")
        before = shown(first, "burn-7")
        history = workflow(first, "history", "burn-7", "--json").output
        fleet = workflow(first, "list", "--json").output
        assert first.stop() == 0

    with running(data_dir) as second:
        assert shown(second, "burn-7") == before
        assert workflow(second, "history", "burn-7", "--json").output == history
        assert workflow(second, "list", "--json").output == fleet
        after = json.loads(
            workflow(second, "step", "complete", "burn-7", "ignite", "--json").output
        )
    assert after["version"] == before["version"] + 1
    assert after["irregular"] == []


def test_a_state_is_shown_as_of_any_instant_of_its_history(platform: Platform) -> None:
    workflow(platform, "create", "past-1")
    for target in ("validated", "scheduled", "cancelled"):
        workflow(platform, "move", "past-1", target)
    lines = workflow(platform, "history", "past-1", "--json").output.splitlines()
    for event, status in zip(
        map(json.loads, lines), ("created", "validated", "scheduled", "cancelled"), strict=True
    ):
        state = shown(platform, "past-1", "--as-of", event["recordedAt"])
        assert (state["status"], state["version"]) == (status, event["version"])
        fleet = workflow(
            platform, "list", "--search", "past-1", "--as-of", event["recordedAt"], "--json"
        )
        assert [one["status"] for one in json.loads(fleet.output)] == [status]

    before = platform.run("workflow", "show", "past-1", "--as-of", "-1h")
    assert (before.status, "did not exist at" in before.errors) == (2, True)
    naive = platform.run("workflow", "show", "past-1", "--as-of", "2026-01-31T12:00:00")
    assert (naive.status, "--as-of" in naive.errors) == (2, True)


def test_what_changed_between_two_instants_names_who_and_why(platform: Platform) -> None:
    workflow(platform, "create", "diff-1")
    workflow(platform, "move", "diff-1", "validated", "--reason", "checked twice")
    created, moved = map(
        json.loads, workflow(platform, "history", "diff-1", "--json").output.splitlines()
    )
    done = workflow(platform, "diff", "diff-1", created["recordedAt"], moved["recordedAt"])
    assert "status: created -> validated" in done.output
    assert "reason=checked twice" in done.output
    assert "local" in done.output, "the operator of the local instance"


def test_what_a_state_does_not_allow_is_refused_in_one_line(platform: Platform) -> None:
    workflow(platform, "create", "rules-1")
    refused = platform.run("workflow", "move", "rules-1", "executing")
    assert refused.status == 2
    assert refused.errors == (
        "aetherops: workflow 'rules-1' is created: cannot move to executing; "
        "allowed: move to validated, move to cancelled\n"
    )
    missing = platform.run("workflow", "pause", "nobody")
    assert (missing.status, missing.errors) == (
        2,
        "aetherops: no workflow is named 'nobody'\n",
    )


def test_a_reader_sees_and_may_not_operate(platform: Platform) -> None:
    workflow(platform, "create", "rights-1")
    token = run(
        *("token", "--roles", "viewer", "--operator", "eve", "--data-dir", str(platform.data_dir))
    ).output.strip()
    url = read_instance(platform.data_dir).url
    target = ("--url", url, "--token", token)
    assert run("workflow", "show", "rights-1", *target).status == 0
    refused = run("workflow", "move", "rights-1", "validated", *target)
    assert (refused.status, "needs the permission 'execute'" in refused.errors) == (3, True)
    without = httpx.post(f"{url}/graphql", json={"query": '{ workflow(id: "rights-1") { id } }'})
    assert without.status_code == 401


def test_the_steps_of_a_workflow_are_drawn_over_time(platform: Platform) -> None:
    workflow(platform, "create", "drawn-1")
    workflow(platform, "step", "start", "drawn-1", "align")
    workflow(platform, "step", "fail", "drawn-1", "align", "--error", "gyro")
    workflow(platform, "step", "start", "drawn-1", "align", "--executor", "node-2")
    drawn = workflow(platform, "show", "drawn-1").output
    assert "on node-2" in drawn
    assert {"✗", "▶"} <= set(drawn)
    assert workflow(platform, "show", "drawn-1", "--ascii").output.isascii()


def test_workflows_of_earlier_versions_are_captured_once_and_go_on(
    platform: Platform, directory: Path
) -> None:
    engine = WorkflowEngine()
    engine.advance("validated")
    dump = directory / "old-1.pkl"
    dump.write_bytes(pickle.dumps(engine))
    bad = directory / "bad.json"
    bad.write_text('{"state": "launched"}')

    look = platform.run("workflow", "migrate", str(dump), str(bad), "--dry-run")
    assert (look.status, "capturable      1" in look.output) == (1, True)
    assert platform.run("workflow", "show", "old-1").status == 2, "a dry run stores nothing"

    done = platform.run("workflow", "migrate", str(dump), str(bad), "--json")
    report = json.loads(done.output)
    assert (done.status, report["counts"]["captured"], report["counts"]["refused"]) == (1, 1, 1)
    again = workflow(platform, "migrate", str(dump))
    assert "known           1" in again.output

    assert shown(platform, "old-1")["status"] == "validated"
    workflow(platform, "move", "old-1", "scheduled")
    unknown = platform.run("workflow", "show", "old-1", "--as-of", "-1h")
    assert "unknown before the migration" in unknown.errors


def test_an_empty_id_is_refused_and_no_new_one_made(platform: Platform) -> None:
    refused = run("workflow", "create", "", "--data-dir", str(platform.data_dir))
    assert (refused.status, "1 to 200 characters" in refused.errors) == (2, True)


def test_every_workflow_is_replayed_and_converges(platform: Platform) -> None:
    workflow(platform, "create", "replayed-1")
    workflow(platform, "move", "replayed-1", "validated")
    found = workflow(platform, "verify", "replayed-1")
    assert found.output == "replayed-1  version 2  converges\n"
    of_all = workflow(platform, "verify")
    assert of_all.errors.endswith(" replayed, 0 diverged\n")
    unknown = run("workflow", "verify", "nobody", "--data-dir", str(platform.data_dir))
    assert (unknown.status, "nobody" in unknown.errors) == (2, True)


#: Every command that changes a workflow, in an order that its state allows.
ON_A_WORKFLOW = """
create w --input {} | move w validated | pause w | resume w | assign w ann | attach w plan {}
step start w s --input {"dv":1} | step fail w s --attempt 1 --retry-at +1h | step start w s
step complete w s --attempt 2 --result 1 | timer set w t now | timer fire w t | timer set w t +1h
timer cancel w t | ask w go | refuse w go | ask w go | approve w go | fail w --error broke
create m --mission | stage m validation | stage m planning | cancel m --reason weather
create c | move c validated | move c scheduled | move c in-progress | move c review
move c approved | move c executing | complete c --result {"ok":true}
"""


def test_every_kind_of_event_is_reached_by_a_command(platform: Platform, directory: Path) -> None:
    for command in ON_A_WORKFLOW.replace("\n", "|").split("|"):
        if command.strip():
            workflow(platform, *command.split())
    dump = directory / "captured.pkl"
    dump.write_bytes(pickle.dumps(WorkflowEngine()))
    workflow(platform, "migrate", str(dump))
    found = {
        json.loads(line)["kind"]
        for name in ("w", "m", "c", "captured")
        for line in workflow(platform, "history", name, "--json").output.splitlines()
    }
    assert found == set(KINDS)
    assert shown(platform, "c")["result"] == {"ok": True}


def test_lists_are_rebuilt_on_the_running_platform(platform: Platform) -> None:
    workflow(platform, "create", "rebuilt-1", "--owner", "ann")
    workflow(platform, "list")
    dsn = running_dsn(platform.data_dir / "postgres")
    with in_background(Postgres.connect(dsn, pool_size=1)) as postgres:
        spoilt = "UPDATE workflow_summary SET owner = 'eve' WHERE workflow_id = 'rebuilt-1'"
        run_in_background(postgres.pool.execute(spoilt))

    def owner() -> str:
        listed = workflow(platform, "list", "--search", "rebuilt-1", "--json").output
        return str(json.loads(listed)[0]["owner"])

    assert owner() == "eve"
    assert platform.run("workflow", "verify", "rebuilt-1").status == 1, "a replay finds it"
    done = json.loads(workflow(platform, "rebuild", "--json").output)
    assert done["events"] > 0
    assert owner() == "ann"
    workflow(platform, "create", "rebuilt-2")
    assert "rebuilt-2" in workflow(platform, "list").output, "and it follows on"


def test_lists_are_rebuilt_where_a_platform_runs(directory: Path) -> None:
    nowhere = run("workflow", "rebuild", "--data-dir", str(directory / "nowhere"))
    assert (nowhere.status, "no AetherOps runs on" in nowhere.errors) == (3, True)


def test_metrics_show_how_far_the_lists_and_the_check_are(platform: Platform) -> None:
    workflow(platform, "create", "measured-1")
    workflow(platform, "list")  # waits for the lists
    [event] = workflow(platform, "history", "measured-1", "--json").output.splitlines()
    lines = httpx.get(f"{platform.url}/metrics").text.splitlines()
    told = dict(line.split() for line in lines if line.startswith("aetherops_workflow_"))
    assert float(told["aetherops_workflow_read_model_position"]) >= json.loads(event)["position"]
    assert float(told["aetherops_workflow_read_model_lag_seconds"]) >= 0
    assert float(told["aetherops_workflow_divergences_total"]) >= 0


def test_workflows_are_listed_by_when_they_began(platform: Platform) -> None:
    workflow(platform, "create", "aged-1")
    asked = ("list", "--search", "aged-1", "--json")
    assert len(json.loads(workflow(platform, *asked, "--created-after", "-1h").output)) == 1
    assert json.loads(workflow(platform, *asked, "--created-before", "-1h").output) == []


def test_what_had_occurred_by_an_instant_is_shown(platform: Platform) -> None:
    workflow(platform, "create", "occurred-1")
    workflow(platform, "move", "occurred-1", "validated")
    created, moved = map(
        json.loads, workflow(platform, "history", "occurred-1", "--json").output.splitlines()
    )
    early = shown(platform, "occurred-1", "--occurred-by", created["occurredAt"])
    late = shown(platform, "occurred-1", "--occurred-by", moved["occurredAt"])
    assert (early["status"], late["status"]) == ("created", "validated")


@pytest.mark.parametrize("value", ["NaN", "1e999", "{bad", "[" * 40 + "]" * 40, str(2**70)])
def test_what_json_cannot_hold_is_refused_and_not_stored_as_null(
    platform: Platform, value: str
) -> None:
    platform.run("workflow", "create", "json-1")
    refused = platform.run("workflow", "attach", "json-1", "k", value)
    assert (refused.status, "VALUE" in refused.errors) == (2, True)
    assert shown(platform, "json-1")["artifacts"] == {}


def test_an_instant_before_1970_is_refused_under_its_option(platform: Platform) -> None:
    refused = platform.run("workflow", "show", "rights-1", "--as-of", "1969-12-31")
    assert (refused.status, refused.errors.startswith("aetherops: --as-of: ")) == (2, True)

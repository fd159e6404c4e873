"""Workflows over GraphQL: commands with rights, states at any instant, histories, changes."""

from __future__ import annotations

import asyncio

import pytest

from aetherops.services.workflows import Workflows
from aetherops.workflow import MemoryEventStore, UnknownKindError
from aetherops.workflow.read_models.memory import MemoryReadModel

CREATE = """mutation ($id: ID, $name: String! = "workflow", $owner: String, $cause: WorkflowCause) {
  createWorkflow(id: $id, name: $name, owner: $owner, input: {dv: 3}, cause: $cause) {
    id version status owner input allowedMoves
  }
}"""
MOVE = """mutation ($id: ID!, $target: WorkflowStatus!, $cause: WorkflowCause) {
  moveWorkflow(id: $id, target: $target, reason: "checked", cause: $cause) { version status }
}"""
STATE = """query ($id: ID!, $asOf: DateTime) {
  workflow(id: $id, asOf: $asOf) { status version history progressPct updatedAt stage }
}"""
HISTORY = """query ($id: ID!, $first: Int! = 100, $after: BigInt! = 0) {
  workflowHistory(id: $id, first: $first, after: $after) {
    nodes { version kind actor payload recordedAt position correlationId }
    pageInfo { hasNextPage endCursor }
  }
}"""
LIST = """query (
  $status: [WorkflowStatus!], $asOf: DateTime, $first: Int! = 100, $after: String! = ""
) {
  workflows(status: $status, asOf: $asOf, first: $first, after: $after) {
    nodes { id status owner version runningSteps }
    pageInfo { hasNextPage endCursor }
    position
  }
}"""
CHANGES = """query ($id: ID!, $from: DateTime!, $to: DateTime!) {
  workflowChanges(id: $id, from: $from, to: $to) {
    before { status }
    after { status }
    differences { path before after }
    changes { event { kind actor payload } differences { path } }
  }
}"""
CAPTURE = """mutation { captureWorkflow(id: "old-1", state: %s) { version } }"""


@pytest.fixture
def workflows():
    return Workflows.in_memory()


@pytest.fixture
def ask_as(platform, workflows):
    async def ask_as(role, query, **variables):
        async with platform.client(platform.token(role), workflows=workflows) as client:
            answer = await client.post("/graphql", json={"query": query, "variables": variables})
        return answer.json()

    return ask_as


@pytest.fixture
def operate(ask_as):
    """Ask as an operator; what goes wrong fails the test."""

    async def operate(query, **variables):
        answer = await ask_as("operator", query, **variables)
        assert "errors" not in answer, answer["errors"]
        (data,) = answer["data"].values()
        return data

    return operate


def code_of(answer):
    (error,) = answer["errors"]
    return error["extensions"]["code"]


async def instant_of(operate, version, workflow_id="burn-7"):
    """When an event was recorded."""
    page = await operate(HISTORY, id=workflow_id)
    return page["nodes"][version - 1]["recordedAt"]


async def test_a_workflow_is_created_moved_and_asked_about(operate):
    created = await operate(CREATE, id="burn-7", name="orbit-raise", owner="ann")
    assert created == {
        "id": "burn-7",
        "version": 1,
        "status": "CREATED",
        "owner": "ann",
        "input": {"dv": 3},
        "allowedMoves": ["VALIDATED", "CANCELLED"],
    }
    assert await operate(MOVE, id="burn-7", target="VALIDATED") == {
        "version": 2,
        "status": "VALIDATED",
    }
    state = await operate(STATE, id="burn-7")
    assert (state["history"], state["stage"]) == (["CREATED", "VALIDATED"], None)


async def test_a_state_is_asked_for_as_of_an_instant(operate, ask_as):
    await operate(CREATE, id="burn-7")
    await operate(MOVE, id="burn-7", target="VALIDATED")
    first, second = [await instant_of(operate, version) for version in (1, 2)]
    assert (await operate(STATE, id="burn-7", asOf=first))["status"] == "CREATED"
    assert (await operate(STATE, id="burn-7", asOf=second))["status"] == "VALIDATED"

    before = await ask_as("viewer", STATE, id="burn-7", asOf="2020-01-01T00:00:00Z")
    assert code_of(before) == "NOT_FOUND"
    assert "did not exist at 2020-01-01" in before["errors"][0]["message"]
    naive = await ask_as("viewer", STATE, id="burn-7", asOf="2026-01-01T00:00:00")
    assert code_of(naive) == "BAD_INPUT"
    assert code_of(await ask_as("viewer", STATE, id="burn-8")) == "NOT_FOUND"


async def test_a_reader_reads_and_may_not_operate(ask_as, operate):
    await operate(CREATE, id="burn-7")
    assert (await ask_as("viewer", STATE, id="burn-7"))["data"]["workflow"]["status"] == "CREATED"
    assert code_of(await ask_as("viewer", CREATE, id="burn-8")) == "FORBIDDEN"
    assert code_of(await ask_as("viewer", MOVE, id="burn-7", target="CANCELLED")) == "FORBIDDEN"
    assert (await operate(STATE, id="burn-7"))["version"] == 1


@pytest.mark.parametrize(
    "command",
    [
        'completeWorkflow(id: "w")',
        'failWorkflow(id: "w", error: "e")',
        'cancelWorkflow(id: "w")',
        'pauseWorkflow(id: "w")',
        'resumeWorkflow(id: "w")',
        'assignWorkflow(id: "w", owner: "bo")',
        'changeStage(id: "w", target: VALIDATION)',
        'startStep(id: "w", step: "s")',
        'completeStep(id: "w", step: "s")',
        'failStep(id: "w", step: "s", error: "e")',
        'attachArtifact(id: "w", key: "k", value: 1)',
        'setTimer(id: "w", timer: "t", dueAt: "2027-01-01T00:00:00Z")',
        'fireTimer(id: "w", timer: "t")',
        'cancelTimer(id: "w", timer: "t")',
        'requestApproval(id: "w", approval: "a")',
        'grantApproval(id: "w", approval: "a")',
        'refuseApproval(id: "w", approval: "a")',
    ],
)
async def test_every_command_needs_the_right_to_operate(ask_as, command):
    mutation = f"mutation {{ {command} {{ version }} }}"
    assert code_of(await ask_as("viewer", mutation)) == "FORBIDDEN"
    assert code_of(await ask_as("operator", mutation)) == "NOT_FOUND"


async def test_what_the_state_does_not_allow_is_a_conflict_that_says_what_is(ask_as, operate):
    await operate(CREATE, id="burn-7")
    answer = await ask_as("operator", MOVE, id="burn-7", target="EXECUTING")
    assert answer["errors"][0]["extensions"] == {
        "code": "CONFLICT",
        "status": "created",
        "allowed": ["move to validated", "move to cancelled"],
    }


async def test_a_decision_on_another_version_is_a_conflict(ask_as, operate):
    await operate(CREATE, id="burn-7")
    await operate(MOVE, id="burn-7", target="VALIDATED")
    answer = await ask_as(
        "operator", MOVE, id="burn-7", target="FAILED", cause={"expectedVersion": 1}
    )
    assert answer["errors"][0]["extensions"] == {"code": "CONFLICT", "version": 2}


async def test_a_mutation_made_again_under_its_event_id_changes_nothing(operate, ask_as):
    cause = {
        "eventId": "01890a5d-ac96-774b-bcce-b302099a8057",
        "correlationId": "01890a5d-ac96-774b-bcce-b302099a8058",
    }
    first = await operate(CREATE, id="burn-7", cause=cause)
    assert await operate(CREATE, id="burn-7", cause=cause) == first
    [event] = (await operate(HISTORY, id="burn-7"))["nodes"]
    assert event["correlationId"] == cause["correlationId"]
    bad = await ask_as("operator", CREATE, cause={"eventId": "1"})
    assert bad["errors"][0]["extensions"]["field"] == "cause.eventId"


async def test_steps_an_approval_a_timer_and_an_artifact(operate, ask_as):
    await operate(CREATE, id="burn-7")
    steps = "{ steps { name status result attempts { number status error executor startedAt } } }"
    await operate(f'mutation {{ startStep(id: "burn-7", step: "ignite", executor: "n1") {steps} }}')
    await operate(f'mutation {{ failStep(id: "burn-7", step: "ignite", error: "cold") {steps} }}')
    await operate(f'mutation {{ startStep(id: "burn-7", step: "ignite") {steps} }}')
    done = await operate(
        f'mutation {{ completeStep(id: "burn-7", step: "ignite", result: [1.5]) {steps} }}'
    )
    (step,) = done["steps"]
    assert (step["status"], step["result"]) == ("completed", [1.5])
    tries = [(one["number"], one["status"], one["error"]) for one in step["attempts"]]
    assert tries == [(1, "failed", "cold"), (2, "completed", None)]

    approvals = "{ approvals { name status decidedBy until } }"
    await operate(
        'mutation { requestApproval(id: "burn-7", approval: "burn-go", role: "flight-director", '
        f'until: "2100-01-01T00:00:00Z") {approvals} }}'
    )
    grant = f'mutation {{ grantApproval(id: "burn-7", approval: "burn-go") {approvals} }}'
    assert code_of(await ask_as("operator", grant)) == "FORBIDDEN"
    granted = await ask_as("flight-director", grant)
    assert granted["data"]["grantApproval"]["approvals"] == [
        {
            "name": "burn-go",
            "status": "granted",
            "decidedBy": "op-7",
            "until": "2100-01-01T00:00:00Z",
        }
    ]

    due = "2100-01-01T00:00:00Z"
    set_timer = f'setTimer(id: "burn-7", timer: "t", dueAt: "{due}") {{ timers {{ name dueAt }} }}'
    timers = await operate(f"mutation {{ {set_timer} }}")
    assert timers == {"timers": [{"name": "t", "dueAt": due}]}
    attach = (
        'mutation ($v: JSON) { attachArtifact(id: "burn-7", key: "plan", value: $v) { artifacts } }'
    )
    assert await operate(attach, v={"dv": [1, None, "x"]}) == {
        "artifacts": {"plan": {"dv": [1, None, "x"]}}
    }


async def test_a_living_workflow_is_captured_by_an_admin_and_unknown_before(ask_as):
    capture = """mutation ($state: JSON!) {
      captureWorkflow(id: "old-1", state: $state, source: "WorkflowEngine") { status knownSince }
    }"""
    assert code_of(await ask_as("operator", capture, state={})) == "FORBIDDEN"
    wrong = await ask_as("admin", capture, state={"status": "launched"})
    assert wrong["errors"][0]["extensions"]["field"] == "state.status"
    captured = await ask_as("admin", capture, state={"status": "review"})
    assert captured["data"]["captureWorkflow"]["status"] == "REVIEW"
    before = await ask_as("viewer", STATE, id="old-1", asOf="2020-01-01T00:00:00Z")
    assert "unknown before the migration" in before["errors"][0]["message"]
    assert before["errors"][0]["extensions"]["knownSince"]


async def test_a_history_comes_in_pages(operate):
    await operate(CREATE, id="burn-7")
    for target in ("VALIDATED", "SCHEDULED", "IN_PROGRESS"):
        await operate(MOVE, id="burn-7", target=target)
    first = await operate(HISTORY, id="burn-7", first=3)
    assert first["pageInfo"] == {"hasNextPage": True, "endCursor": 3}
    rest = await operate(HISTORY, id="burn-7", first=3, after=3)
    assert rest["pageInfo"] == {"hasNextPage": False, "endCursor": 4}
    assert rest["nodes"][0]["payload"] == {
        "source": "scheduled",
        "target": "in-progress",
        "reason": "checked",
    }
    assert {node["actor"] for node in first["nodes"]} == {"op-7"}


async def test_workflows_are_listed_page_by_page_now_and_as_of_an_instant(operate, ask_as):
    for i in range(3):
        await operate(CREATE, id=f"w-{i}", owner="ann")
    then = await instant_of(operate, 1, "w-1")
    await operate(MOVE, id="w-0", target="CANCELLED")

    page = await operate(LIST, first=2)
    assert [node["id"] for node in page["nodes"]] == ["w-0", "w-1"]
    assert page["pageInfo"] == {"hasNextPage": True, "endCursor": "w-1"}
    assert page["position"] == 4
    assert [node["id"] for node in (await operate(LIST, after="w-1"))["nodes"]] == ["w-2"]
    cancelled = await operate(LIST, status=["CANCELLED"])
    assert [node["id"] for node in cancelled["nodes"]] == ["w-0"]

    fleet = await operate(LIST, asOf=then)
    assert [(node["id"], node["status"]) for node in fleet["nodes"]] == [
        ("w-0", "CREATED"),
        ("w-1", "CREATED"),
    ]
    assert code_of(await ask_as("viewer", LIST, first=1001)) == "LIMIT_EXCEEDED"
    assert code_of(await ask_as("viewer", LIST, first=0)) == "BAD_INPUT"


async def test_what_changed_between_two_instants_and_why(operate, ask_as):
    await operate(CREATE, id="burn-7")
    await operate(MOVE, id="burn-7", target="VALIDATED")
    start, end = [await instant_of(operate, version) for version in (1, 2)]
    found = await operate(CHANGES, id="burn-7", **{"from": start, "to": end})
    assert (found["before"]["status"], found["after"]["status"]) == ("CREATED", "VALIDATED")
    assert {"path": "status", "before": "created", "after": "validated"} in found["differences"]
    (change,) = found["changes"]
    assert change["event"]["payload"]["reason"] == "checked"
    assert change["event"]["actor"] == "op-7"
    backwards = await ask_as("viewer", CHANGES, id="burn-7", **{"from": end, "to": start})
    assert code_of(backwards) == "BAD_INPUT"


async def test_of_mutations_at_once_each_is_decided_on_what_the_others_left(operate, ask_as):
    await operate(CREATE, id="burn-7")
    start = 'mutation { startStep(id: "burn-7", step: "ignite") { version } }'
    answers = await asyncio.gather(*(ask_as("operator", start) for _ in range(4)))
    assert sorted("errors" in answer for answer in answers) == [False, True, True, True]


async def test_an_id_that_no_workflow_can_have_is_named(ask_as):
    for workflow_id in ("", "\0", "x" * 201):
        answer = await ask_as("viewer", STATE, id=workflow_id)
        assert answer["errors"][0]["extensions"]["field"] == "id"


async def test_a_replay_says_whether_a_workflow_converges(ask_as):
    await ask_as("operator", CREATE, id="burn-7")
    query = """{ workflowVerification(id: "burn-7") {
      id version converges divergences { what } irregular } }"""
    answer = await ask_as("viewer", query)
    assert answer["data"]["workflowVerification"] == {
        "id": "burn-7",
        "version": 1,
        "converges": True,
        "divergences": [],
        "irregular": [],
    }


def changed(name, arguments):
    return f'mutation {{ {name}(id: "burn-7", {arguments}) {{ version }} }}'


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ('{ workflow(id: "burn-7", asOf: "1969-12-31T00:00:00Z") { id } }', "asOf"),
        ('{ workflow(id: "burn-7", occurredBy: "1969-12-31T00:00:00Z") { id } }', "occurredBy"),
        ('{ workflows(createdAfter: "1969-12-31T00:00:00Z") { position } }', "createdAfter"),
        (changed("setTimer", 'timer: "t", dueAt: "1969-12-31T00:00:00Z"'), "dueAt"),
        (changed("failStep", 'step: "s", error: "", retryAt: "1969-12-31T00:00:00Z"'), "retryAt"),
        (changed("pauseWorkflow", "cause: {expectedVersion: -1}"), "cause.expectedVersion"),
        (changed("completeStep", 'step: "s", attempt: 0'), "attempt"),
        (changed("attachArtifact", f'key: "k", value: {"[" * 40}{"]" * 40}'), "value" + "[0]" * 33),
        (CAPTURE % "[1]", "state"),
        (CAPTURE % '{status: "launched"}', "state.status"),
        (CAPTURE % '{workflow_id: "other"}', "state.workflow_id"),
        (CAPTURE % '{created_at: "1969-12-31T00:00:00Z"}', "state.created_at"),
        (CAPTURE % "{steps: {a: {}}}", "state.steps.a"),
        (
            CAPTURE % '{steps: {a: {name: "a", status: "running", attempts: []}}}',
            "state.steps.a.attempts",
        ),
        (CAPTURE % '{approvals: {a: {name: "b", status: "granted"}}}', "state.approvals.a.name"),
    ],
)
async def test_bad_input_is_named_by_its_field_and_nothing_is_stored(ask_as, operate, query, field):
    await operate(CREATE, id="burn-7")
    answer = await ask_as("admin", query)
    assert code_of(answer) == "BAD_INPUT"
    assert answer["errors"][0]["extensions"]["field"] == field
    assert len((await operate(HISTORY, id="burn-7"))["nodes"]) == 1
    assert code_of(await ask_as("viewer", STATE, id="old-1")) == "NOT_FOUND"


async def test_a_page_after_the_last_version_there_could_be_is_empty(operate):
    await operate(CREATE, id="burn-7")
    assert (await operate(HISTORY, id="burn-7", after=2**63 - 1))["nodes"] == []


async def test_what_had_occurred_by_an_instant_is_asked_for(operate, ask_as):
    await operate(CREATE, id="burn-7")
    await operate(MOVE, id="burn-7", target="VALIDATED")
    asked = 'query ($by: DateTime!) { workflow(id: "burn-7", occurredBy: $by) { version } }'
    assert await operate(asked, by="2100-01-01T00:00:00Z") == {"version": 2}
    before = await ask_as("viewer", asked, by="2020-01-01T00:00:00Z")
    assert code_of(before) == "NOT_FOUND"


class OfAnotherVersion(MemoryEventStore):
    """Holds an event of a kind that is not known here."""

    async def get_events(self, *args, **kwargs):
        raise UnknownKindError("workflow.launched", 1, "no such kind")


async def test_an_event_that_cannot_be_read_is_told_by_its_kind(platform):
    store = OfAnotherVersion()
    workflows = Workflows.over(store, MemoryReadModel(store))
    async with platform.client(platform.token("viewer"), workflows=workflows) as client:
        answer = await client.post("/graphql", json={"query": '{ workflow(id: "w") { id } }'})
    (error,) = answer.json()["errors"]
    assert "event 'workflow.launched', schema version 1: no such kind" in error["message"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["extensions"]["kind"] == "workflow.launched"

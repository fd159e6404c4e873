"""Commands: what the state allows is appended, everything else is refused in plain words."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from aetherops.errors import ForbiddenError, InvalidInputError
from aetherops.identity.operators import Operator
from aetherops.services.workflows import Cause, WorkflowCommands
from aetherops.workflow import (
    STATES,
    TRANSITIONS,
    ConcurrencyError,
    DuplicateEventError,
    FencedError,
    IllegalMoveError,
    MemoryEventStore,
    WorkflowNotFoundError,
    WorkflowProjection,
    shortest_path,
    uuid7,
)


async def moved_to(commands, cause, status, workflow_id="burn-7"):
    """A workflow in a state, moved there by the shortest way."""
    state = await commands.create(cause, workflow_id, name="orbit-raise")
    for target in (shortest_path("created", status) or [])[1:]:
        state = await commands.move(cause, workflow_id, target)
    return state


async def test_a_command_appends_an_event_that_says_who_and_why(commands, store, clock):
    conversation, command = uuid7(), uuid7()
    cause = Cause("ann").linked(correlation_id=conversation, causation_id=command)
    state = await commands.create(cause, "burn-7", name="orbit-raise", owner="ann", input={"dv": 3})
    assert (state.name, state.owner, state.input) == ("orbit-raise", "ann", {"dv": 3})
    [event] = await store.get_events("burn-7")
    assert (event.actor, event.correlation_id, event.causation_id, event.occurred_at) == (
        "ann",
        conversation,
        command,
        clock.now,
    )


async def test_a_workflow_that_is_created_without_an_id_gets_one(commands, ann):
    first, second = await commands.create(ann), await commands.create(ann)
    assert UUID(first.workflow_id).version == 7
    assert first.workflow_id != second.workflow_id


async def test_a_workflow_begins_once(commands, ann):
    await commands.create(ann, "burn-7")
    with pytest.raises(IllegalMoveError, match="'burn-7' is created: cannot begin it again"):
        await commands.create(ann, "burn-7")


async def test_what_nobody_created_is_not_found(commands, ann):
    with pytest.raises(WorkflowNotFoundError, match="burn-8"):
        await commands.pause(ann, "burn-8")


@pytest.mark.parametrize("status", STATES)
async def test_every_move_of_the_table_passes_and_every_other_is_refused(commands, ann, status):
    for target in STATES:
        workflow_id = f"{status}-{target}"
        await moved_to(commands, ann, status, workflow_id)
        if target in TRANSITIONS[status]:
            state = await commands.move(ann, workflow_id, target)
            assert (state.status, state.irregular) == (target, ())
        else:
            with pytest.raises(IllegalMoveError) as refused:
                await commands.move(ann, workflow_id, target)
            assert refused.value.status == status
            assert refused.value.allowed == tuple(f"move to {to}" for to in TRANSITIONS[status])


async def test_a_state_that_is_none_is_named(commands, ann):
    await commands.create(ann, "burn-7")
    with pytest.raises(InvalidInputError, match="target"):
        await commands.move(ann, "burn-7", "launched")


async def test_each_end_has_its_kind_however_it_is_asked_for(commands, ann, store):
    for workflow_id in ("a", "b"):
        await moved_to(commands, ann, "executing", workflow_id)
    await commands.complete(ann, "a", result="in orbit")
    await commands.move(ann, "b", "failed", reason="no thrust")
    last = [(await store.get_events(workflow_id))[-1] for workflow_id in ("a", "b")]
    assert [event.kind for event in last] == ["workflow.completed", "workflow.failed"]
    assert last[1].payload == {"error": "no thrust"}


async def test_steps_are_tried_one_attempt_after_the_other(commands, ann):
    await commands.create(ann, "burn-7")
    await commands.start_step(ann, "burn-7", "ignite", executor="node-1")
    with pytest.raises(IllegalMoveError, match="allowed: complete or fail attempt 1 at ignite"):
        await commands.start_step(ann, "burn-7", "ignite")
    await commands.fail_step(ann, "burn-7", "ignite", error="cold")
    await commands.start_step(ann, "burn-7", "ignite")
    with pytest.raises(IllegalMoveError, match="cannot complete attempt 1 at ignite"):
        await commands.complete_step(ann, "burn-7", "ignite", attempt=1)
    state = await commands.complete_step(ann, "burn-7", "ignite", result={"dv": 1.5})
    assert [one.status for one in state.steps["ignite"].attempts] == ["failed", "completed"]
    with pytest.raises(IllegalMoveError, match="a step that was completed is not started again"):
        await commands.start_step(ann, "burn-7", "ignite")


async def test_no_step_begins_while_it_is_paused(commands, ann):
    await commands.create(ann, "burn-7")
    await commands.pause(ann, "burn-7", reason="storm")
    with pytest.raises(IllegalMoveError, match=r"is created, paused: .* allowed: resume"):
        await commands.start_step(ann, "burn-7", "ignite")
    with pytest.raises(IllegalMoveError, match="allowed: resume"):
        await commands.pause(ann, "burn-7")
    await commands.resume(ann, "burn-7")
    assert (await commands.start_step(ann, "burn-7", "ignite")).steps["ignite"].status == "running"


async def test_the_work_waits_for_an_approval_and_goes_on_with_it(commands, ann):
    await commands.create(ann, "burn-7")
    await commands.request_approval(ann, "burn-7", "burn-go")
    for going_on in (
        commands.move(ann, "burn-7", "validated"),
        commands.start_step(ann, "burn-7", "ignite"),
    ):
        with pytest.raises(IllegalMoveError, match="allowed: grant burn-go"):
            await going_on
    state = await commands.grant_approval(ann, "burn-7", "burn-go", comment="go")
    assert state.approvals["burn-go"].decided_by == "ann"
    assert (await commands.move(ann, "burn-7", "validated")).status == "validated"


async def test_a_workflow_that_waits_for_an_approval_can_still_be_cancelled(commands, ann):
    await commands.create(ann, "burn-7")
    await commands.request_approval(ann, "burn-7", "burn-go")
    await commands.refuse_approval(ann, "burn-7", "burn-go")
    with pytest.raises(IllegalMoveError, match="grant burn-go"):
        await commands.move(ann, "burn-7", "validated")
    assert (await commands.cancel(ann, "burn-7")).is_done


async def test_an_answer_needs_a_question(commands, ann):
    await commands.create(ann, "burn-7")
    await commands.request_approval(ann, "burn-7", "fuel-go")
    with pytest.raises(IllegalMoveError, match="allowed: grant fuel-go, refuse fuel-go"):
        await commands.grant_approval(ann, "burn-7", "burn-go")


async def test_a_word_after_its_time_is_too_late(commands, ann, clock):
    await commands.create(ann, "burn-7")
    until = clock.now + timedelta(minutes=5)
    await commands.request_approval(ann, "burn-7", "burn-go", until=until)
    clock.turn(minutes=5, microseconds=1)
    with pytest.raises(IllegalMoveError, match="allowed: refuse burn-go, and ask again"):
        await commands.grant_approval(ann, "burn-7", "burn-go")


async def test_an_approval_takes_the_word_of_its_role(commands, ann):
    await commands.create(ann, "burn-7")
    await commands.request_approval(ann, "burn-7", "burn-go", role="flight-director")
    with pytest.raises(ForbiddenError, match="'flight-director'; you have operator"):
        await commands.grant_approval(ann, "burn-7", "burn-go")
    for role in ("flight-director", "admin"):
        director = Cause.of(Operator("bo", "Bo", frozenset({role})))
        state = await commands.grant_approval(director, "burn-7", "burn-go")
        assert state.approvals["burn-go"].decided_by == "bo"
        await commands.request_approval(ann, "burn-7", "burn-go", role="flight-director")


async def test_timers_artifacts_and_owners(commands, ann):
    due_at = datetime(2026, 2, 1, tzinfo=UTC)
    await commands.create(ann, "burn-7")
    await commands.set_timer(ann, "burn-7", "window", due_at)
    await commands.attach(ann, "burn-7", "plan", {"dv": 3})
    state = await commands.assign(ann, "burn-7", "bo")
    assert (state.timers, state.artifacts, state.owner) == (
        {"window": due_at},
        {"plan": {"dv": 3}},
        "bo",
    )
    with pytest.raises(IllegalMoveError, match="allowed: cancel timer window"):
        await commands.cancel_timer(ann, "burn-7", "windows")
    assert (await commands.cancel_timer(ann, "burn-7", "window")).timers == {}


async def test_a_mission_goes_through_its_stages(commands, ann):
    await commands.create(ann, "m-1", form="mission")
    assert (await commands.change_stage(ann, "m-1", "validation")).stage_index == 1
    assert (await commands.change_stage(ann, "m-1", "planning")).stage_index == 0
    with pytest.raises(IllegalMoveError, match=r"cannot advance to monitoring; .* to validation"):
        await commands.change_stage(ann, "m-1", "monitoring")
    with pytest.raises(InvalidInputError, match="target"):
        await commands.change_stage(ann, "m-1", "launch")


async def test_of_commands_at_once_each_is_decided_on_what_the_others_left(commands, ann, store):
    await commands.create(ann, "burn-7")
    outcomes = await asyncio.gather(
        *(commands.start_step(ann, "burn-7", "ignite") for _ in range(5)), return_exceptions=True
    )
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    assert sum(isinstance(one, IllegalMoveError) for one in outcomes) == 4
    assert WorkflowProjection.of(await store.get_events("burn-7")).irregular == ()


async def test_who_decided_on_a_version_is_told_when_it_is_another(commands, ann):
    await commands.create(ann, "burn-7")
    await commands.attach(ann, "burn-7", "plan", 1)
    with pytest.raises(ConcurrencyError) as refused:
        await commands.pause(ann.linked(expected_version=1), "burn-7")
    assert (refused.value.expected, refused.value.actual) == (1, 2)
    assert (await commands.pause(ann.linked(expected_version=2), "burn-7")).paused


async def test_a_command_made_again_under_its_event_id_changes_nothing(commands, ann, store):
    await commands.create(ann, "burn-7")
    once = ann.linked(event_id=uuid7())
    first = await commands.attach(once, "burn-7", "plan", {"dv": 3})
    await commands.pause(ann, "burn-7")
    again = await commands.attach(once, "burn-7", "plan", {"dv": 3})
    assert again == first
    assert len(await store.get_events("burn-7")) == 3
    with pytest.raises(DuplicateEventError):
        await commands.attach(once, "burn-7", "plan", {"dv": 4})


async def test_a_captured_workflow_goes_on_from_where_it_was(commands, ann):
    state = {"workflow_id": "old-1", "status": "review", "history": ["created", "review"]}
    captured = await commands.capture(ann, "old-1", state, source="WorkflowEngine")
    assert captured.known_since is not None
    assert (await commands.move(ann, "old-1", "approved")).status == "approved"
    with pytest.raises(IllegalMoveError, match="begin it again"):
        await commands.capture(ann, "old-1", state)


async def test_where_nothing_may_happen_instead_the_refusal_says_why(commands, ann):
    await commands.create(ann, "burn-7")
    refusals = {
        "it exists already, and an id is used once": commands.create(ann, "burn-7"),
        "no step is running": commands.complete_step(ann, "burn-7", "ignite", attempt=1),
        "no approval waits for an answer": commands.grant_approval(ann, "burn-7", "burn-go"),
        "no timer is set": commands.cancel_timer(ann, "burn-7", "window"),
    }
    for why, refused in refusals.items():
        with pytest.raises(IllegalMoveError, match=f"; {why}$") as told:
            await refused
        assert told.value.allowed == ()
    await commands.cancel(ann, "burn-7")
    for refused in (commands.pause(ann, "burn-7"), commands.start_step(ann, "burn-7", "ignite")):
        with pytest.raises(IllegalMoveError, match=r"is cancelled: .*; it has ended$"):
            await refused


class PausedOnce(MemoryEventStore):
    """Takes the first append only when it is told to."""

    def __init__(self):
        super().__init__()
        self.on_the_way, self.go_on = asyncio.Event(), asyncio.Event()

    async def append_many(self, *args, **kwargs):
        if not self.on_the_way.is_set():
            self.on_the_way.set()
            await self.go_on.wait()
        return await super().append_many(*args, **kwargs)


async def test_a_capture_that_was_paused_is_fenced_off_by_the_next_one(clock, ann):
    store = PausedOnce()
    commands = WorkflowCommands(store, clock)
    early = asyncio.create_task(commands.capture(ann, "old-1", {"workflow_id": "old-1"}))
    await store.on_the_way.wait()
    assert await store.fence("old-1") == 2, "another migration begins"
    store.go_on.set()
    with pytest.raises(FencedError):
        await early
    assert await store.get_events("old-1") == []


async def test_a_capture_that_is_refused_takes_nothing_over(commands, store, ann):
    await commands.create(ann, "burn-7")
    held = await store.fence("burn-7")
    with pytest.raises(IllegalMoveError):
        await commands.capture(ann, "burn-7", {"workflow_id": "burn-7"})
    with pytest.raises(InvalidInputError, match="status"):
        await commands.capture(ann, "old-1", {"workflow_id": "old-1", "status": "launched"})
    assert await store.fence("burn-7") == held + 1, "no epoch was begun by what was refused"
    assert await store.fence("old-1") == 1


async def test_a_timer_fires_from_its_time_on_and_once(commands, ann, clock):
    await commands.create(ann, "burn-7")
    await commands.set_timer(ann, "burn-7", "window", clock.now + timedelta(minutes=5))
    with pytest.raises(IllegalMoveError, match=r"cannot fire timer window; allowed: fire it from"):
        await commands.fire_timer(ann, "burn-7", "window")
    clock.turn(minutes=5)
    assert (await commands.fire_timer(ann, "burn-7", "window")).timers == {}
    with pytest.raises(IllegalMoveError, match="cannot fire timer window"):
        await commands.fire_timer(ann, "burn-7", "window")


async def test_only_missions_have_stages(commands, ann):
    await commands.create(ann, "burn-7")
    with pytest.raises(IllegalMoveError, match="it is no mission, and has no stages"):
        await commands.change_stage(ann, "burn-7", "validation")


async def test_no_word_is_asked_for_after_the_end(commands, ann):
    await commands.create(ann, "burn-7")
    await commands.cancel(ann, "burn-7")
    with pytest.raises(IllegalMoveError, match="it has ended"):
        await commands.request_approval(ann, "burn-7", "late")


async def test_an_event_id_stands_for_one_value_also_where_python_finds_two_equal(commands, ann):
    await commands.create(ann, "burn-7")
    again = replace(ann, event_id=uuid7())
    await commands.attach(again, "burn-7", "k", {"dv": 1})
    assert (await commands.attach(again, "burn-7", "k", {"dv": 1})).version == 2
    both = replace(ann, event_id=uuid7())
    await commands.attach(both, "burn-7", "two", {"a": 1, "b": 2})
    assert (await commands.attach(both, "burn-7", "two", {"b": 2, "a": 1})).version == 3
    for other in ({"dv": True}, {"dv": 1.0}):
        with pytest.raises(DuplicateEventError):
            await commands.attach(again, "burn-7", "k", other)

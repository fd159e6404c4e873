"""Workflows are executed by runners over PostgreSQL: no step twice, no workflow orphaned."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from datetime import timedelta

import pytest

from aetherops.connections.postgres import Postgres
from aetherops.workflow import (
    ApprovalGranted,
    ArtifactAttached,
    ConcurrencyError,
    WorkflowPaused,
    WorkflowResumed,
    WorkflowState,
)
from aetherops.workflow.execution import (
    Approval,
    Delay,
    Retries,
    StepContext,
    Task,
)

from .fleets import Fleet

pytestmark = pytest.mark.integration


@pytest.fixture
def fleet(runtime_postgres: Postgres) -> Fleet:
    return Fleet(runtime_postgres)


def task(name: str, *after: str, handler: str = "do", **options: object) -> Task:
    return Task(name=name, after=after, handler=handler, **options)  # type: ignore[arg-type]


async def test_steps_are_performed_in_their_order_with_what_came_before(fleet: Fleet) -> None:
    @fleet.registry.handler("plan")
    def plan(context: StepContext) -> dict[str, object]:
        return {"input": context.input}

    @fleet.registry.handler("do")
    async def do(context: StepContext) -> object:
        return context.results["plan"]

    definition = fleet.define(task("burn", "plan"), task("plan", handler="plan"))
    async with fleet.runner() as condition:
        await fleet.start(definition, input={"dv_m_s": 1.5})
        state = await fleet.until_done()
    assert state.status == "completed"
    assert state.result == {"burn": {"input": {"dv_m_s": 1.5}}}
    assert condition.finished == 1
    assert state.steps["plan"].attempts[0].executor == "runner"


async def test_independent_steps_are_performed_at_once(fleet: Fleet) -> None:
    meet = threading.Barrier(3)
    fleet.registry.handler("do")(lambda _: meet.wait(30) >= 0)
    async with fleet.runner():
        await fleet.start(fleet.define(task("a"), task("b"), task("c")))
        assert (await fleet.until_done()).status == "completed"


async def test_a_step_that_fails_is_tried_again_with_the_same_key(fleet: Fleet) -> None:
    seen: list[tuple[int, str]] = []

    @fleet.registry.handler("do")
    def do(context: StepContext) -> None:
        seen.append((context.attempt, context.idempotency_key))
        if context.attempt < 3:
            raise ConnectionError("no carrier")

    async with fleet.runner():
        await fleet.start(fleet.define(task("a", retries=Retries(attempts=3, first_s=0.01))))
        state = await fleet.until_done()
    assert state.status == "completed"
    assert [attempt for attempt, _ in seen] == [1, 2, 3]
    assert len({key for _, key in seen}) == 1
    assert state.steps["a"].attempts[0].error == "ConnectionError: no carrier"


async def test_many_runners_perform_each_step_of_many_workflows_once(fleet: Fleet) -> None:
    done: Counter[str] = Counter()

    @fleet.registry.handler("do")
    async def do(context: StepContext) -> None:
        done[context.idempotency_key] += 1

    definition = fleet.define(task("a"), task("b", "a"), task("c", "a"), task("d", "b", "c"))
    ids = [f"w{i}" for i in range(30)]
    async with fleet.runner("one"), fleet.runner("two"), fleet.runner("three"):
        await asyncio.gather(*(fleet.start(definition, one) for one in ids))
        for one in ids:
            assert (await fleet.until_done(one)).status == "completed"
    assert len(done) == 120
    assert set(done.values()) == {1}


async def test_handlers_that_misbehave_stop_no_other_workflow(fleet: Fleet) -> None:
    let_go = threading.Event()
    fleet.registry.handler("raises")(lambda _: 1 / 0)
    fleet.registry.handler("hangs")(lambda _: let_go.wait(60))
    fleet.registry.handler("odd")(lambda _: object())
    fleet.registry.handler("large")(lambda _: "x" * (64 << 20))
    fleet.registry.handler("do")(lambda _: None)

    @fleet.registry.handler("exits")
    async def exits(_: StepContext) -> None:
        raise SystemExit

    told = {
        "raises": "ZeroDivisionError: division by zero",
        "hangs": "took longer than 0.1 s",
        "odd": "returned what cannot be stored",
        "large": "returned what cannot be stored",
        "exits": "SystemExit",
    }
    async with fleet.runner():
        for i, handler in enumerate([*told, "do"], 1):
            limit_s = 0.1 if handler == "hangs" else 60.0
            definition = fleet.define(task("a", handler=handler, timeout_s=limit_s), version=i)
            await fleet.start(definition, handler)
        for handler, error in told.items():
            state = await fleet.until_done(handler)
            assert state.error is not None
            assert state.error.startswith(f"step a: {error}")
        assert (await fleet.until_done("do")).status == "completed"
    let_go.set()


async def test_a_handler_may_call_back_into_the_store(fleet: Fleet) -> None:
    @fleet.registry.handler("do")
    async def do(context: StepContext) -> str:
        version = (await fleet.state()).version + 1
        await fleet.store.append(ArtifactAttached("w", version, key="seen", value=context.step))
        return await fleet.start(other, "child")

    other = fleet.define(task("a", handler="nothing"), version=2)
    fleet.registry.handler("nothing")(lambda _: None)
    async with fleet.runner():
        await fleet.start(fleet.define(task("a")))
        state = await fleet.until_done()
        assert (await fleet.until_done("child")).status == "completed"
    assert state.result == {"a": "child"}
    assert state.artifacts["seen"] == "a"


async def test_an_approval_and_a_delay_are_waited_for_by_nobody(fleet: Fleet) -> None:
    fleet.registry.handler("do")(lambda _: "burnt")
    definition = fleet.define(
        Approval(name="go", role="flight"),
        Delay(name="settle", after=["go"], wait_s=0.8),
        task("burn", "settle"),
    )
    async with fleet.runner() as condition:
        await fleet.start(definition)
        await fleet.until(lambda state: "go" in state.approvals)
        await fleet.tell(ApprovalGranted, "ana", approval="go")  # she asked: says nothing
        await fleet.until(lambda state: state.version > 0 and _asked(state))
        async with asyncio.timeout(30):
            while condition.held:
                await asyncio.sleep(0.01)
        await fleet.tell(ApprovalGranted, "ben", approval="go")
        state = await fleet.until_done()
    assert state.result == {"burn": "burnt"}
    assert state.steps["go"].result == {"granted_by": ["ben"]}
    begun, fired = (state.steps[name].attempts[0] for name in ("settle", "burn"))
    assert begun.started_at is not None
    assert fired.started_at is not None
    assert fired.started_at - begun.started_at >= timedelta(seconds=0.8)


def _asked(state: WorkflowState) -> bool:
    return state.approvals["go"].status == "requested"


async def test_a_pause_keeps_steps_from_beginning_until_it_is_resumed(fleet: Fleet) -> None:
    begun, end = threading.Event(), threading.Event()

    @fleet.registry.handler("do")
    def do(context: StepContext) -> None:
        begun.set()
        assert end.wait(30)

    async with fleet.runner() as condition:
        await fleet.start(fleet.define(task("a"), task("b", "a")))
        await asyncio.to_thread(begun.wait, 30)
        await fleet.tell(WorkflowPaused, "ben")
        end.set()
        await fleet.until(lambda state: state.steps["a"].status == "completed")
        async with asyncio.timeout(30):
            while condition.held:
                await asyncio.sleep(0.01)
        assert "b" not in (await fleet.state()).steps
        await fleet.tell(WorkflowResumed, "ben")
        assert (await fleet.until_done()).status == "completed"


async def test_a_workflow_ends_on_the_definition_that_it_began_with(fleet: Fleet) -> None:
    end = threading.Event()
    fleet.registry.handler("do")(lambda _: end.wait(30))
    first = fleet.define(task("a"), task("old", "a"))
    async with fleet.runner() as condition:
        await fleet.start(first)
        await fleet.until(lambda state: "a" in state.steps)
        fleet.define(task("a"), task("new", "a"), version=2)
        assert condition.held == 1
        end.set()
        state = await fleet.until_done()
        assert set(state.steps) == {"a", "old"}
        await fleet.start(fleet.registry.latest("test"), "w2")
        assert set((await fleet.until_done("w2")).steps) == {"a", "new"}


async def test_an_id_begins_one_workflow(fleet: Fleet) -> None:
    fleet.registry.handler("do")(lambda _: None)
    definition = fleet.define(task("a"))
    async with fleet.runner():
        await fleet.start(definition)
        with pytest.raises(ConcurrencyError):
            await fleet.start(definition)
        await fleet.until_done()
        with pytest.raises(ConcurrencyError):
            await fleet.start(definition)


async def test_a_runner_that_is_stopped_finishes_its_attempts_and_hands_over(
    fleet: Fleet,
) -> None:
    begun, end = threading.Event(), threading.Event()

    @fleet.registry.handler("do")
    def do(context: StepContext) -> None:
        begun.set()
        assert end.wait(30)

    async with fleet.runner("one"):
        await fleet.start(fleet.define(task("a"), task("b", "a")))
        await asyncio.to_thread(begun.wait, 30)
        asyncio.get_running_loop().call_later(0.1, end.set)
    state = await fleet.state()
    assert [one.status for one in state.steps.values()] == ["completed"]
    async with fleet.runner("two"):
        state = await fleet.until_done()
    assert len(state.steps["a"].attempts) == 1
    assert state.steps["b"].attempts[0].executor == "two"


async def test_an_attempt_that_outlasts_the_draining_is_handed_over(fleet: Fleet) -> None:
    begun = asyncio.Event()

    @fleet.registry.handler("do")
    async def do(context: StepContext) -> None:
        begun.set()
        if context.attempt == 1:
            await asyncio.Event().wait()

    async with fleet.runner("one", drain_s=0.05):
        await fleet.start(fleet.define(task("a")))
        await begun.wait()
    async with fleet.runner("two") as condition:
        state = await fleet.until_done()
    assert state.status == "completed"
    assert [one.error for one in state.steps["a"].attempts] == ["its runner was lost", None]
    assert condition.takeovers == 1


async def test_a_handler_that_blocks_the_loop_longer_than_the_lease_is_fenced(
    fleet: Fleet, runtime_dsn: str
) -> None:
    """The runner beside it is in a thread of its own, with a loop and connections of its own."""
    blocked, done = threading.Event(), threading.Event()

    @fleet.registry.handler("do")
    async def do(context: StepContext) -> int:
        if context.attempt == 1:
            blocked.set()
            assert done.wait(60)  # calls no await: the loop stands still
        return context.attempt

    async def beside() -> None:
        async with Postgres.connect(runtime_dsn, pool_size=3) as postgres:
            other = Fleet(postgres)
            other.registry = fleet.registry
            blocked.wait(30)
            async with other.runner("quick", lease_s=0.6):
                await other.until_done()
            done.set()

    await fleet.start(fleet.define(task("a")))
    thread = threading.Thread(target=lambda: asyncio.run(beside()))
    async with fleet.runner("slow", lease_s=0.6) as condition:
        thread.start()
        async with asyncio.timeout(60):
            while not condition.fenced:
                await asyncio.sleep(0.01)
    thread.join()
    state = await fleet.state()
    assert state.result == {"a": 2}
    assert [one.executor for one in state.steps["a"].attempts] == ["slow", "quick"]
    assert not state.irregular

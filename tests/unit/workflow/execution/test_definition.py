"""A workflow is declared as a graph; what is wrong with it is told by name."""

from __future__ import annotations

import pytest

from aetherops.errors import InvalidInputError
from aetherops.workflow.execution import (
    Approval,
    CyclicStepsError,
    Delay,
    DuplicateStepError,
    MissingHandlerError,
    Registry,
    Retries,
    Task,
    UnknownDefinitionError,
    UnknownDependencyError,
    WorkflowDefinition,
)


def task(name: str, *after: str, **options: object) -> Task:
    return Task(name=name, after=after, handler="do", **options)  # type: ignore[arg-type]


def test_a_graph_of_steps_is_a_definition() -> None:
    burn = WorkflowDefinition("burn", 2, [task("plan"), task("upload", "plan")])
    assert burn.key == "burn:2"
    assert [step.name for step in burn.steps] == ["plan", "upload"]


def test_two_steps_of_one_name_are_refused() -> None:
    with pytest.raises(DuplicateStepError, match=r"workflow burn, step.*'plan'"):
        WorkflowDefinition("burn", 1, [task("plan"), task("plan")])


def test_a_step_after_one_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownDependencyError) as caught:
        WorkflowDefinition("burn", 1, [task("upload", "plan")])
    assert (caught.value.step, caught.value.dependency) == ("upload", "plan")


@pytest.mark.parametrize(
    ("after", "cycle"),
    [
        ({"a": ["a"]}, ("a", "a")),
        ({"a": ["c"], "b": ["a"], "c": ["b"]}, ("a", "c", "b", "a")),
        ({"x": [], "a": ["x", "b"], "b": ["a"], "y": ["b"]}, ("a", "b", "a")),
    ],
)
def test_steps_that_wait_in_a_ring_are_named(
    after: dict[str, list[str]], cycle: tuple[str, ...]
) -> None:
    with pytest.raises(CyclicStepsError) as caught:
        WorkflowDefinition("burn", 1, [task(name, *names) for name, names in after.items()])
    assert caught.value.cycle == cycle


@pytest.mark.parametrize(
    "make",
    [
        lambda: WorkflowDefinition("burn", 1, []),
        lambda: WorkflowDefinition("burn", 0, [task("a")]),
        lambda: task("undo a"),
        lambda: task("a", timeout_s=0),
        lambda: Task(name="a", after="bc", handler="do"),
        lambda: Delay(name="a", wait_s=float("nan")),
        lambda: Delay(name="a", wait_s=True),
        lambda: Approval(name="a", quorum=0),
        lambda: Approval(name="a", within_s=-1),
        lambda: Retries(attempts=0),
        lambda: Retries(factor=0.5),
    ],
)
def test_what_no_step_can_be_is_refused(make) -> None:
    with pytest.raises(InvalidInputError):
        make()


def test_waits_between_attempts_grow_to_a_longest() -> None:
    retries = Retries(attempts=10_000, first_s=1, factor=2, longest_s=6)
    waits = [retries.wait_after(n) for n in (1, 2, 3, 4, 9_999)]
    assert [wait.total_seconds() for wait in waits if wait] == [1, 2, 4, 6, 6]
    assert retries.wait_after(10_000) is None


def test_a_step_or_a_compensation_without_handler_is_named() -> None:
    registry = Registry()
    registry.add(WorkflowDefinition("burn", 1, [task("plan", undo="forget")]))
    with pytest.raises(MissingHandlerError, match=r"step plan, handler.*'do'"):
        registry.check()
    registry.handler("do")(print)
    with pytest.raises(MissingHandlerError, match=r"step undo plan, handler.*'forget'"):
        registry.check()
    registry.handler("forget")(print)
    registry.check()


def test_versions_stand_beside_each_other_and_each_has_one_meaning() -> None:
    registry = Registry()
    first = registry.add(WorkflowDefinition("burn", 1, [task("plan")]))
    second = registry.add(WorkflowDefinition("burn", 2, [task("plan"), task("upload")]))
    assert registry.add(WorkflowDefinition("burn", 1, [task("plan")])) == first
    assert registry.latest("burn") is second
    assert registry.definition("burn:1") is first
    with pytest.raises(InvalidInputError, match="a new version"):
        registry.add(WorkflowDefinition("burn", 1, [task("other")]))
    with pytest.raises(UnknownDefinitionError):
        registry.latest("pass")
    with pytest.raises(UnknownDefinitionError):
        registry.definition("burn:3")


def test_a_handler_has_a_name_of_its_own() -> None:
    registry = Registry()
    registry.handler("do")(print)
    with pytest.raises(InvalidInputError, match="no other handler"):
        registry.handler("do")(repr)

"""Runners are killed and held up while they execute: no step twice, no workflow orphaned."""

import subprocess
import sys
from pathlib import Path

import pytest
from workflow_history.execution_checks import Effect, ExecutionCheck, Said

COMMAND = Path(__file__).with_name("execution_chaos.py")


@pytest.mark.chaos
@pytest.mark.integration
def test_no_step_is_done_twice_and_no_workflow_left_whatever_is_killed() -> None:
    made = subprocess.run(
        [sys.executable, COMMAND, "--kills", "6", "--at-once", "12", "--seed", "5"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "faults: 0" in made.stdout
    # It is known to have happened: else nothing was shown.
    assert "runner killed" in made.stdout
    assert ", 0 workflows" not in made.stdout


CREATED, DONE = Said("workflow.created"), Said("workflow.completed")
START, END = Said("step.started", "plan", 1), Said("step.completed", "plan", 1)
FAILED, AGAIN = Said("step.failed", "plan", 1), Said("step.started", "plan", 2)
END_AGAIN = Said("step.completed", "plan", 2)


def faults(*said: Said) -> str:
    check = ExecutionCheck()
    check.take("w", said)
    return " | ".join(check.faults)


def test_a_workflow_that_was_executed_is_without_fault() -> None:
    assert faults(CREATED, START, END, DONE) == ""
    assert faults(CREATED, START, FAILED, AGAIN, END_AGAIN, DONE) == ""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ((CREATED, START, AGAIN, END_AGAIN, DONE), "attempt 2 begins beside 1"),
        ((CREATED, START, END, AGAIN, DONE), "begins after its completion"),
        ((CREATED, START, END, AGAIN, END_AGAIN, DONE), "completes more than once"),
        ((CREATED, END, DONE), "attempt 1 ends, and was not running"),
        ((CREATED, START, END), "ends with nothing: an orphan"),
        ((CREATED, START, DONE), "plan still running at its end"),
        ((CREATED, START, END, DONE, AGAIN), "step.started after workflow.completed"),
        ((CREATED, Said("workflow.failed")), "ends with workflow.failed"),
    ],
)
def test_a_fault_of_an_execution_is_found(said, told) -> None:
    assert told in faults(*said)


def test_a_completion_without_the_effect_of_its_attempt_is_found() -> None:
    steps = ("plan", "left", "right", "close")
    effects = [Effect("w", step, 1, 1) for step in steps]
    check = ExecutionCheck()
    check.effects(effects, {"w": dict.fromkeys(steps, 1)})
    assert check.faults == []
    check.effects(effects, {"w": dict.fromkeys(steps, 1) | {"left": 2}})
    assert check.faults == ["w, step left: completed without effect"]
    check.effects([*effects, effects[0]], {})
    assert "w, step plan: one attempt has 2 effects" in check.faults

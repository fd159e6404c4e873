"""The options of ``aetherops workflow``: what is to happen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aetherops.cli.arguments import DataDir, Token, Url
from aetherops.cli.outcome import reported_errors
from aetherops.cli.usage import CheckedCommand
from aetherops.cli.workflow.arguments import (
    AsJson,
    WorkflowId,
    connection_of,
    instant_of,
    workflow,
)

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["workflow"]

_Reason = Annotated[str, typer.Option(help="Why, in words.")]
_Comment = Annotated[str, typer.Option(help="Why, in words.")]
_Approval = Annotated[str, typer.Argument(help="What the approval is called.")]
_Step = Annotated[str, typer.Argument(help="The step's name.")]

step = typer.Typer(help="Begin and end attempts at steps.", no_args_is_help=True)
workflow.add_typer(step, name="step")


@workflow.command("create", cls=CheckedCommand)
def create_workflow(
    workflow_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A new one where not given.")
    ] = None,
    name: Annotated[str, typer.Option(help="What kind of work it is.")] = "workflow",
    owner: Annotated[str | None, typer.Option(help="Who answers for it.")] = None,
    mission: Annotated[bool, typer.Option("--mission", help="With the stages of one.")] = False,
    given: Annotated[
        str | None, typer.Option("--input", help="What it is started with, as JSON.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Begin a workflow."""
    arguments = {
        "name": name,
        "owner": owner,
        "form": "mission" if mission else "workflow",
        "input": _Json(given, "--input"),
    }
    _change("createWorkflow", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("move", cls=CheckedCommand)
def move_workflow(
    workflow_id: WorkflowId,
    target: Annotated[str, typer.Argument(metavar="STATE", help="Such as in-progress.")],
    reason: _Reason = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Move it to another state; completed, failed and cancelled end it."""
    arguments = {"target": _Choice(target, "STATE"), "reason": reason}
    _change("moveWorkflow", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("stage", cls=CheckedCommand)
def change_stage(
    workflow_id: WorkflowId,
    target: Annotated[str, typer.Argument(metavar="STAGE", help="Such as validation.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Take a mission to its next stage, or back to the one before."""
    arguments = {"target": _Choice(target, "STAGE")}
    _change("changeStage", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("pause", cls=CheckedCommand)
def pause_workflow(
    workflow_id: WorkflowId,
    reason: _Reason = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Let no further step begin."""
    _change("pauseWorkflow", workflow_id, {"reason": reason}, as_json, data_dir, url, token)


@workflow.command("resume", cls=CheckedCommand)
def resume_workflow(
    workflow_id: WorkflowId,
    reason: _Reason = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Let steps begin again."""
    _change("resumeWorkflow", workflow_id, {"reason": reason}, as_json, data_dir, url, token)


@workflow.command("assign", cls=CheckedCommand)
def assign_workflow(
    workflow_id: WorkflowId,
    owner: Annotated[str, typer.Argument(help="Who answers for it from now on.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Let another answer for it."""
    _change("assignWorkflow", workflow_id, {"owner": owner}, as_json, data_dir, url, token)


@workflow.command("ask", cls=CheckedCommand)
def request_approval(
    workflow_id: WorkflowId,
    approval: _Approval,
    role: Annotated[str, typer.Option(help="Whose word it takes.")] = "operator",
    until: Annotated[str | None, typer.Option(help="When it is too late, such as +2h.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Ask for an approval: until it is given, the workflow does not go on."""
    with reported_errors():
        arguments = {
            "approval": approval,
            "role": role,
            "until": instant_of(until, "--until"),
        }
    _change("requestApproval", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("approve", cls=CheckedCommand)
def grant_approval(
    workflow_id: WorkflowId,
    approval: _Approval,
    comment: _Comment = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Give an approval that was asked for."""
    arguments = {"approval": approval, "comment": comment}
    _change("grantApproval", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("refuse", cls=CheckedCommand)
def refuse_approval(
    workflow_id: WorkflowId,
    approval: _Approval,
    comment: _Comment = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Refuse an approval that was asked for."""
    arguments = {"approval": approval, "comment": comment}
    _change("refuseApproval", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("attach", cls=CheckedCommand)
def attach_artifact(
    workflow_id: WorkflowId,
    key: Annotated[str, typer.Argument(help="Under which name.")],
    value: Annotated[str, typer.Argument(help="As JSON.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Put something to it under a key."""
    arguments = {"key": key, "value": _Json(value, "VALUE")}
    _change("attachArtifact", workflow_id, arguments, as_json, data_dir, url, token)


@step.command("start", cls=CheckedCommand)
def start_step(
    workflow_id: WorkflowId,
    name: _Step,
    executor: Annotated[str | None, typer.Option(help="Which process does it.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Begin the next attempt at a step."""
    arguments = {"step": name, "executor": executor}
    _change("startStep", workflow_id, arguments, as_json, data_dir, url, token)


@step.command("complete", cls=CheckedCommand)
def complete_step(
    workflow_id: WorkflowId,
    name: _Step,
    result: Annotated[str | None, typer.Option(help="What came of it, as JSON.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """End the attempt that runs, well."""
    arguments = {"step": name, "result": _Json(result, "--result")}
    _change("completeStep", workflow_id, arguments, as_json, data_dir, url, token)


@step.command("fail", cls=CheckedCommand)
def fail_step(
    workflow_id: WorkflowId,
    name: _Step,
    error: Annotated[str, typer.Option(help="What went wrong.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """End the attempt that runs, badly."""
    arguments = {"step": name, "error": error}
    _change("failStep", workflow_id, arguments, as_json, data_dir, url, token)


@dataclass(frozen=True, slots=True)
class _Json:
    """Text of an option that holds JSON, and the option's name for its errors."""

    text: str | None
    field: str

    def read(self) -> Any:
        """The value, null where nothing was given; raises `InvalidInputError` for other text."""
        from aetherops.errors import InvalidInputError

        try:
            return None if self.text is None else json.loads(self.text)
        except ValueError:
            expected = """JSON, such as 1.5, '"text"' or '{"dv": 3}'"""
            raise InvalidInputError(self.field, self.text, expected) from None


@dataclass(frozen=True, slots=True)
class _Choice:
    """A state or a stage as it was typed, and the argument's name for its errors."""

    text: str
    field: str

    def read(self) -> str:
        """How GraphQL names it; raises `InvalidInputError` where there is none."""
        from aetherops.cli.workflow.asking import enum_name
        from aetherops.workflow.checks import stage, state

        check = state if self.field == "STATE" else stage
        return enum_name(check(self.text, self.field))


def _change(
    mutation: str,
    workflow_id: str | None,
    arguments: dict[str, Any],
    as_json: bool,
    data_dir: Path | None,
    url: str | None,
    token: str | None,
) -> None:
    """Have it done, and say in a line where the workflow stands then."""
    with reported_errors():
        from aetherops.cli.workflow.asking import change
        from aetherops.cli.workflow.texts import changed_text, json_text

        given = {
            key: one.read() if isinstance(one, _Json | _Choice) else one
            for key, one in arguments.items()
        }
        state = change(mutation, workflow_id, given, connection_of(data_dir, url, token))
        typer.echo(json_text(state) if as_json else changed_text(state))

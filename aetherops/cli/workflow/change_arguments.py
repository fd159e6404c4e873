"""The options of ``aetherops workflow``: what is to happen."""

from __future__ import annotations

from typing import Annotated

import typer

from aetherops.cli.arguments import DataDir, Token, Url
from aetherops.cli.outcome import reported_errors
from aetherops.cli.usage import CheckedCommand
from aetherops.cli.workflow.arguments import AsJson, WorkflowId, instant_of, workflow
from aetherops.cli.workflow.changing import Choice, JsonText, Reason, change

__all__ = ["workflow"]

_Approval = Annotated[str, typer.Argument(help="What the approval is called.")]


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
        "input": JsonText(given, "--input"),
    }
    change("createWorkflow", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("start", cls=CheckedCommand)
def start_workflow(
    name: Annotated[str, typer.Argument(help="Of the definition: what is to be executed.")],
    workflow_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A new one where not given.")
    ] = None,
    owner: Annotated[str | None, typer.Option(help="Who answers for it.")] = None,
    given: Annotated[
        str | None, typer.Option("--input", help="What it is started with, as JSON.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Begin a workflow that runners execute."""
    arguments = {"name": name, "owner": owner, "input": JsonText(given, "--input")}
    change("startWorkflow", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("move", cls=CheckedCommand)
def move_workflow(
    workflow_id: WorkflowId,
    target: Annotated[str, typer.Argument(metavar="STATE", help="Such as in-progress.")],
    reason: Reason = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Move it to another state; completed, failed and cancelled end it."""
    arguments = {"target": Choice(target, "STATE"), "reason": reason}
    change("moveWorkflow", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("complete", cls=CheckedCommand)
def complete_workflow(
    workflow_id: WorkflowId,
    result: Annotated[str | None, typer.Option(help="What came of it, as JSON.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """End it well."""
    arguments = {"result": JsonText(result, "--result")}
    change("completeWorkflow", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("fail", cls=CheckedCommand)
def fail_workflow(
    workflow_id: WorkflowId,
    error: Annotated[str, typer.Option(help="What went wrong.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """End it badly."""
    change("failWorkflow", workflow_id, {"error": error}, as_json, data_dir, url, token)


@workflow.command("cancel", cls=CheckedCommand)
def cancel_workflow(
    workflow_id: WorkflowId,
    reason: Reason = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """End it because somebody wants so."""
    change("cancelWorkflow", workflow_id, {"reason": reason}, as_json, data_dir, url, token)


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
    arguments = {"target": Choice(target, "STAGE")}
    change("changeStage", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("pause", cls=CheckedCommand)
def pause_workflow(
    workflow_id: WorkflowId,
    reason: Reason = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Let no further step begin."""
    change("pauseWorkflow", workflow_id, {"reason": reason}, as_json, data_dir, url, token)


@workflow.command("resume", cls=CheckedCommand)
def resume_workflow(
    workflow_id: WorkflowId,
    reason: Reason = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Let steps begin again."""
    change("resumeWorkflow", workflow_id, {"reason": reason}, as_json, data_dir, url, token)


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
    change("assignWorkflow", workflow_id, {"owner": owner}, as_json, data_dir, url, token)


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
    change("requestApproval", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("approve", cls=CheckedCommand)
def grant_approval(
    workflow_id: WorkflowId,
    approval: _Approval,
    comment: Reason = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Give an approval that was asked for."""
    arguments = {"approval": approval, "comment": comment}
    change("grantApproval", workflow_id, arguments, as_json, data_dir, url, token)


@workflow.command("refuse", cls=CheckedCommand)
def refuse_approval(
    workflow_id: WorkflowId,
    approval: _Approval,
    comment: Reason = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Refuse an approval that was asked for."""
    arguments = {"approval": approval, "comment": comment}
    change("refuseApproval", workflow_id, arguments, as_json, data_dir, url, token)


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
    arguments = {"key": key, "value": JsonText(value, "VALUE")}
    change("attachArtifact", workflow_id, arguments, as_json, data_dir, url, token)

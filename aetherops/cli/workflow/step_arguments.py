"""The options of ``aetherops workflow step``."""

from __future__ import annotations

from typing import Annotated

import typer

from aetherops.cli.arguments import DataDir, Token, Url
from aetherops.cli.outcome import reported_errors
from aetherops.cli.usage import CheckedCommand
from aetherops.cli.workflow.arguments import AsJson, WorkflowId, instant_of, workflow
from aetherops.cli.workflow.changing import JsonText, change

__all__ = ["workflow"]

_Step = Annotated[str, typer.Argument(help="The step's name.")]
_Attempt = Annotated[
    str | None, typer.Option(help="Which attempt; the last one where not given.", metavar="NUMBER")
]

step = typer.Typer(
    rich_markup_mode=None, help="Begin and end attempts at steps.", no_args_is_help=True
)
workflow.add_typer(step, name="step")


@step.command("start", cls=CheckedCommand)
def start_step(
    workflow_id: WorkflowId,
    name: _Step,
    executor: Annotated[str | None, typer.Option(help="Which process does it.")] = None,
    given: Annotated[
        str | None, typer.Option("--input", help="What it is done with, as JSON.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Begin the next attempt at a step."""
    arguments = {"step": name, "executor": executor, "input": JsonText(given, "--input")}
    change("startStep", workflow_id, arguments, as_json, data_dir, url, token)


@step.command("complete", cls=CheckedCommand)
def complete_step(
    workflow_id: WorkflowId,
    name: _Step,
    result: Annotated[str | None, typer.Option(help="What came of it, as JSON.")] = None,
    attempt: _Attempt = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """End an attempt at it well."""
    with reported_errors():
        arguments = {
            "step": name,
            "attempt": _number(attempt),
            "result": JsonText(result, "--result"),
        }
    change("completeStep", workflow_id, arguments, as_json, data_dir, url, token)


@step.command("fail", cls=CheckedCommand)
def fail_step(
    workflow_id: WorkflowId,
    name: _Step,
    error: Annotated[str, typer.Option(help="What went wrong.")] = "",
    attempt: _Attempt = None,
    retry_at: Annotated[
        str | None, typer.Option(help="When it is tried again, such as +10m.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """End an attempt at it badly."""
    with reported_errors():
        arguments = {
            "step": name,
            "attempt": _number(attempt),
            "error": error,
            "retryAt": instant_of(retry_at, "--retry-at"),
        }
    change("failStep", workflow_id, arguments, as_json, data_dir, url, token)


def _number(attempt: str | None) -> int | None:
    from aetherops.cli.values import whole_number

    return None if attempt is None else whole_number("--attempt", attempt, 1, 2**31 - 1)

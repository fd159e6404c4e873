"""The options of ``aetherops workflow timer``."""

from __future__ import annotations

from typing import Annotated

import typer

from aetherops.cli.arguments import DataDir, Token, Url
from aetherops.cli.outcome import reported_errors
from aetherops.cli.usage import CheckedCommand
from aetherops.cli.workflow.arguments import AsJson, WorkflowId, instant_of, workflow
from aetherops.cli.workflow.changing import change

__all__ = ["workflow"]

_Timer = Annotated[str, typer.Argument(help="The timer's name.")]

timer = typer.Typer(
    rich_markup_mode=None, help="What is to happen at an instant.", no_args_is_help=True
)
workflow.add_typer(timer, name="timer")


@timer.command("set", cls=CheckedCommand)
def set_timer(
    workflow_id: WorkflowId,
    name: _Timer,
    due: Annotated[str, typer.Argument(metavar="T", help="When, such as +2h.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Let something happen later; set again, it replaces the one before."""
    with reported_errors():
        arguments = {"timer": name, "dueAt": instant_of(due, "T")}
    change("setTimer", workflow_id, arguments, as_json, data_dir, url, token)


@timer.command("fire", cls=CheckedCommand)
def fire_timer(
    workflow_id: WorkflowId,
    name: _Timer,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Say that its time has come."""
    change("fireTimer", workflow_id, {"timer": name}, as_json, data_dir, url, token)


@timer.command("cancel", cls=CheckedCommand)
def cancel_timer(
    workflow_id: WorkflowId,
    name: _Timer,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Let nothing happen any more."""
    change("cancelTimer", workflow_id, {"timer": name}, as_json, data_dir, url, token)

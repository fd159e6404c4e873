"""The options of ``aetherops workflow verify``."""

from __future__ import annotations

from typing import Annotated

import typer

from aetherops.cli.arguments import DataDir, Token, Url
from aetherops.cli.outcome import ExitStatus, reported_errors
from aetherops.cli.usage import CheckedCommand
from aetherops.cli.workflow.arguments import AsJson, connection_of, workflow

__all__ = ["workflow"]


@workflow.command("verify", cls=CheckedCommand)
def verify_workflows(
    workflow_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]…", help="Of workflows; all if none.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Replay workflows and compare with what is stored; status 1 where one diverges."""
    with reported_errors():
        from aetherops.cli.workflow.asking import ask_verification, every_id
        from aetherops.cli.workflow.texts import shown, verification_text

        connection = connection_of(data_dir, url, token)
        n_verified = n_diverged = 0
        for workflow_id in workflow_ids or every_id(connection):
            found = ask_verification(workflow_id, connection)
            n_verified += 1
            n_diverged += not found["converges"]
            if as_json or not found["converges"] or workflow_ids:
                typer.echo(shown(found, verification_text, as_json=as_json))
        typer.echo(f"{n_verified} replayed, {n_diverged} diverged", err=True)
        if n_diverged:
            raise typer.Exit(ExitStatus.SOME_REJECTED)

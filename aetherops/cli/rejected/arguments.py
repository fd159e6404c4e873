"""The options of ``aetherops rejected list | show | replay | drop``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aetherops.cli.arguments import DataDir, Token, Url
from aetherops.cli.outcome import reported_errors
from aetherops.cli.usage import CheckedCommand

if TYPE_CHECKING:
    from pathlib import Path

    from aetherops.cli.connection import Connection

__all__ = ["rejected"]

rejected = typer.Typer(
    rich_markup_mode=None,
    help="Batches that were accepted and could not be stored.",
    no_args_is_help=True,
)

_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Id = Annotated[str, typer.Argument(help="As `rejected list` shows it.")]
_Ids = Annotated[list[str], typer.Argument(help="As `rejected list` shows them.")]
_MOST_ID = 2**63 - 1


@rejected.command("list", cls=CheckedCommand)
def list_batches(
    as_json: _AsJson = False, data_dir: DataDir = None, url: Url = None, token: Token = None
) -> None:
    """List them: when each was set aside, what it holds, and why."""
    with reported_errors():
        from aetherops.cli.rejected.command import json_text, list_rejected, table_text

        found = list_rejected(_connection(data_dir, url, token))
        if as_json or found:
            typer.echo(json_text(found) if as_json else table_text(found))
        else:
            typer.echo("no batch is set aside", err=True)


@rejected.command("show", cls=CheckedCommand)
def show_batch(
    rejected_id: _Id,
    as_json: _AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Show one of them with its series."""
    with reported_errors():
        from aetherops.cli.rejected.command import json_text, show_rejected, shown_text

        found = show_rejected(_read_ids([rejected_id])[0], _connection(data_dir, url, token))
        typer.echo(json_text(found) if as_json else shown_text(found))


@rejected.command("replay", cls=CheckedCommand)
def replay_batches(
    rejected_ids: _Ids, data_dir: DataDir = None, url: Url = None, token: Token = None
) -> None:
    """Put them on the queue again, once what kept them from being stored is gone."""
    with reported_errors():
        from aetherops.cli.rejected.command import replay_rejected

        replay_rejected(_read_ids(rejected_ids), _connection(data_dir, url, token))
        typer.echo(f"{len(rejected_ids)} put on the queue again", err=True)


@rejected.command("drop", cls=CheckedCommand)
def drop_batches(
    rejected_ids: _Ids, data_dir: DataDir = None, url: Url = None, token: Token = None
) -> None:
    """Give them up for good."""
    with reported_errors():
        from aetherops.cli.rejected.command import drop_rejected

        drop_rejected(_read_ids(rejected_ids), _connection(data_dir, url, token))
        typer.echo(f"{len(rejected_ids)} dropped", err=True)


def _connection(data_dir: Path | None, url: str | None, token: str | None) -> Connection:
    from aetherops.cli.connection import find_connection

    return find_connection(data_dir, url, token)


def _read_ids(texts: list[str]) -> list[int]:
    from aetherops.cli.values import whole_number

    return [whole_number("ID", text, 1, _MOST_ID) for text in texts]

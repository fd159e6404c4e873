"""The options of ``aetherops workflow``: what is asked."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Annotated

import typer

from aetherops.cli.arguments import DataDir, Token, Url
from aetherops.cli.outcome import reported_errors
from aetherops.cli.output import printable_lines
from aetherops.cli.usage import CheckedCommand

if TYPE_CHECKING:
    from pathlib import Path

    from aetherops.cli.connection import Connection

__all__ = ["AsJson", "WorkflowId", "connection_of", "workflow"]

workflow = typer.Typer(
    rich_markup_mode=None,
    help="Workflows: their states at any instant, their histories, and what moves them.",
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WorkflowId = Annotated[str, typer.Argument(metavar="ID", help="Of the workflow.")]
_AsOf = Annotated[
    str | None,
    typer.Option(help="An instant of the past: a time with an offset, or a distance such as -2h."),
]


# A distance from now such as -1h begins with a minus, and is neither an option nor a call for help.
_DISTANCES = {"ignore_unknown_options": True, "help_option_names": ["--help"]}


@workflow.command("list", cls=CheckedCommand)
def list_workflows(
    status: Annotated[
        list[str] | None, typer.Option(help="Only in this state; may be repeated.")
    ] = None,
    owner: Annotated[str | None, typer.Option(help="Only of this owner.")] = None,
    search: Annotated[str, typer.Option(help="A part of the id or the name.")] = "",
    quiet: Annotated[
        str | None,
        typer.Option(help="Stuck ones: not ended, and without an event since then (-1h)."),
    ] = None,
    created_after: Annotated[
        str | None, typer.Option(help="Only those that began later than this (-1d).")
    ] = None,
    created_before: Annotated[
        str | None, typer.Option(help="Only those that began earlier than this.")
    ] = None,
    as_of: _AsOf = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """List workflows, by id."""
    with reported_errors():
        from aetherops.cli.workflow.asking import ask_list, enum_name
        from aetherops.cli.workflow.texts import list_text, shown

        wanted = {
            "status": [enum_name(_checked_state(one)) for one in status] if status else None,
            "owner": owner,
            "search": search,
            "createdAfter": instant_of(created_after, "--created-after"),
            "createdBefore": instant_of(created_before, "--created-before"),
            "quietSince": instant_of(quiet, "--quiet"),
            "asOf": instant_of(as_of, "--as-of"),
        }
        found = ask_list(wanted, connection_of(data_dir, url, token))
        if as_json or found:
            typer.echo(shown(found, list_text, as_json=as_json))
        else:
            typer.echo("no workflow matches", err=True)


@workflow.command("show", cls=CheckedCommand)
def show_workflow(
    workflow_id: WorkflowId,
    as_of: _AsOf = None,
    occurred_by: Annotated[
        str | None,
        typer.Option(help="What had happened by then, as far as was recorded by --as-of, or now."),
    ] = None,
    as_json: AsJson = False,
    ascii_only: Annotated[
        bool, typer.Option("--ascii", help="Draw with ASCII characters alone.")
    ] = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Show one: its state, and its steps over time."""
    with reported_errors():
        from aetherops.cli.output import can_write
        from aetherops.cli.workflow.asking import ask_state
        from aetherops.cli.workflow.texts import json_text, state_text
        from aetherops.cli.workflow.timeline import ASCII, DRAWN
        from aetherops.instants import parse_us
        from aetherops.runtime.clock import now_us

        at, occurred = instant_of(as_of, "--as-of"), instant_of(occurred_by, "--occurred-by")
        state = ask_state(workflow_id, at, occurred, connection_of(data_dir, url, token))
        if as_json:
            typer.echo(json_text(state))
            return
        ink = DRAWN if can_write("".join(DRAWN)) and not ascii_only else ASCII
        until = occurred or at
        until_us = now_us() if until is None else parse_us(until)
        columns = shutil.get_terminal_size((100, 24)).columns
        typer.echo(printable_lines(state_text(state, until_us, columns, ink)))


@workflow.command("history", cls=CheckedCommand)
def show_history(
    workflow_id: WorkflowId,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Print every event of it: when, what, and who; with --json an object a line."""
    with reported_errors():
        from aetherops.cli.workflow.asking import ask_history
        from aetherops.cli.workflow.texts import history_text, json_text

        events = ask_history(workflow_id, connection_of(data_dir, url, token))
        typer.echo(
            "\n".join(map(json_text, events)) if as_json else printable_lines(history_text(events))
        )


@workflow.command("diff", cls=CheckedCommand, context_settings=_DISTANCES)
def show_difference(
    workflow_id: WorkflowId,
    start: Annotated[str, typer.Argument(metavar="T1", help="An instant, as of --as-of.")],
    end: Annotated[str, typer.Argument(metavar="T2", help="A later one; `now` is one.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Say what changed between two instants, who changed it, and why."""
    with reported_errors():
        from aetherops.cli.workflow.asking import ask_changes
        from aetherops.cli.workflow.texts import changes_text, shown

        first, last = instant_of(start, "T1"), instant_of(end, "T2")
        assert first is not None
        assert last is not None
        found = ask_changes(workflow_id, first, last, connection_of(data_dir, url, token))
        typer.echo(shown(found, changes_text, as_json=as_json))


def instant_of(text: str | None, field: str) -> str | None:
    """The instant that was typed, as GraphQL takes it."""
    if text is None:
        return None
    from aetherops.cli.query.times import parse_time
    from aetherops.errors import InvalidInputError
    from aetherops.instants import to_iso
    from aetherops.runtime.clock import now_us

    us = parse_time(text, now_us(), field)
    if us < 0:
        raise InvalidInputError(field, text, "a time from 1970-01-01T00:00:00Z on")
    return to_iso(us)


def connection_of(data_dir: Path | None, url: str | None, token: str | None) -> Connection:
    """The platform that the options name."""
    from aetherops.cli.connection import find_connection

    return find_connection(data_dir, url, token)


def _checked_state(text: str) -> str:
    from aetherops.workflow.checks import state

    return state(text, "--status")

"""The commands and their options. What a command needs is imported when it runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aetherops.cli.arguments import DataDir
from aetherops.cli.ingest.arguments import ingest
from aetherops.cli.outcome import ExitStatus, reported_errors
from aetherops.cli.output import write_what_can_be_written
from aetherops.cli.query.arguments import query
from aetherops.cli.rejected.arguments import rejected
from aetherops.cli.streams.arguments import streams
from aetherops.cli.usage import CheckedCommand, OneLineUsageErrors
from aetherops.cli.workflow import workflow

__all__ = ["application"]

application = typer.Typer(
    rich_markup_mode=None,
    cls=OneLineUsageErrors,
    help="Orbital operations: telemetry in, streaming aggregates kept, answers over GraphQL.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@application.callback(invoke_without_command=True)
def begin(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the versions and exit.")
    ] = False,
) -> None:
    """Orbital operations: telemetry in, streaming aggregates kept, answers over GraphQL."""
    write_what_can_be_written()
    if show_version:
        version()
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(ExitStatus.BAD_INPUT)


@application.command(cls=CheckedCommand)
def up(
    data_dir: DataDir = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 127.0.0.1 by default.")
    ] = None,
    port: Annotated[
        str | None,
        typer.Option(
            help="Port to listen on, 8080 by default; 0 takes a free one.", metavar="NUMBER"
        ),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Also ingest satellites propagated with SGP4.")
    ] = False,
) -> None:
    """Run the platform until Ctrl-C or SIGTERM."""
    with reported_errors():
        from aetherops.cli.up import run_platform
        from aetherops.cli.values import whole_number

        number = None if port is None else whole_number("--port", port, 0, 65_535)
        run_platform(data_dir, host, number, demo=demo)


application.command(cls=CheckedCommand)(ingest)
application.command(cls=CheckedCommand)(query)
application.add_typer(streams, name="streams")
application.add_typer(rejected, name="rejected")
application.add_typer(workflow, name="workflow")


@application.command(cls=CheckedCommand)
def migrate(
    grant_to: Annotated[
        str | None,
        typer.Option(
            help="Role that `up` connects as; that of AETHEROPS_POSTGRES_DSN by default.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Bring your own PostgreSQL up to date, as the role that owns its tables."""
    with reported_errors():
        from aetherops.cli.migrate import migrate_and_tell

        migrate_and_tell(grant_to)


@application.command(cls=CheckedCommand)
def token(
    operator: Annotated[str, typer.Option(help="Who the token speaks for.")] = "local",
    roles: Annotated[str, typer.Option(help="Comma-separated.")] = "operator",
    lifetime: Annotated[str, typer.Option(help="Such as 15m, 8h or 30d.")] = "8h",
    data_dir: DataDir = None,
) -> None:
    """Mint a bearer token with the key of a local instance."""
    with reported_errors():
        from aetherops.cli.mint import mint_token

        typer.echo(mint_token(data_dir, operator, roles, lifetime))


@application.command()
def version() -> None:
    """Print the versions of AetherOps, its kernels and Python."""
    from aetherops import __version__
    from aetherops.core import IMPLEMENTATION

    python = ".".join(map(str, sys.version_info[:3]))
    with reported_errors():
        typer.echo(f"aetherops {__version__} ({IMPLEMENTATION} kernels, Python {python})")
    raise typer.Exit(ExitStatus.DONE)

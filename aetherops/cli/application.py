"""The commands and their options. What a command needs is imported when it runs."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from aetherops.cli.outcome import ExitStatus, reported_errors

__all__ = ["application"]

application = typer.Typer(
    help="Orbital operations: telemetry in, streaming aggregates kept, answers over GraphQL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DataDir = Annotated[
    Path | None,
    typer.Option(help="Directory of a local instance.", file_okay=False, show_default=False),
]
Url = Annotated[
    str | None,
    typer.Option(help="Address of an instance anywhere, such as http://127.0.0.1:8080."),
]
Token = Annotated[
    str | None,
    typer.Option(help="Bearer token, with --url.", envvar="AETHEROPS_TOKEN", show_envvar=True),
]


class Kind(StrEnum):
    """What the values of a stream are."""

    GAUGE = "gauge"
    COUNTER = "counter"
    STATE = "state"


class Unit(StrEnum):
    """Unit of epoch times."""

    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"


class Function(StrEnum):
    """What a bucket says of its samples."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    MEDIAN = "median"
    LAST = "last"


@application.command()
def up(
    data_dir: DataDir = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 127.0.0.1 by default.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="Port to listen on, 8080 by default; 0 takes a free one.", min=0, max=65535
        ),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Also ingest satellites propagated with SGP4.")
    ] = False,
) -> None:
    """Run the platform until Ctrl-C or SIGTERM."""
    with reported_errors():
        from aetherops.cli.up import run_platform

        run_platform(data_dir, host, port, demo=demo)


@application.command()
def ingest(
    file: Annotated[str, typer.Argument(help="A CSV file, or - for standard input.")],
    stream: Annotated[str, typer.Option(help="Where to: service/source/parameter.")],
    unit: Annotated[str, typer.Option(help="Unit of the values.")] = "",
    kind: Annotated[Kind, typer.Option(help="What the values are.")] = Kind.GAUGE,
    time_column: Annotated[
        str | None, typer.Option(help="Name or number of the column of times.")
    ] = None,
    value_column: Annotated[
        str | None, typer.Option(help="Name or number of the column of values.")
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(help="Zone of times without offset, such as UTC or Europe/Paris."),
    ] = None,
    epoch_unit: Annotated[
        Unit | None,
        typer.Option(help="Unit of numeric times; found by their magnitude otherwise."),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Write every rejected row to this CSV file.")
    ] = None,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Send the samples of a CSV file into a stream, and wait until they are stored."""
    with reported_errors():
        from aetherops.archive.stream import Stream, StreamName
        from aetherops.cli.connection import find_connection
        from aetherops.cli.ingest.command import ingest_file, rejection_lines
        from aetherops.cli.ingest.wanted import wanted_of

        target = Stream(StreamName.parse(stream, "--stream"), unit, kind.value)
        wanted = wanted_of(time_column, value_column, timezone, epoch_unit)
        connection = find_connection(data_dir, url, token)
        report = ingest_file(file, target, wanted, rejects, connection)
        for line in rejection_lines(report):
            typer.echo(line, err=True)
        typer.echo(str(report))
        raise typer.Exit(report.status)


@application.command()
def query(
    stream: Annotated[str, typer.Argument(help="service/source/parameter")],
    start: Annotated[
        str | None,
        typer.Option(help="A time such as 2026-01-31T12:00:00Z; else the stream's begin."),
    ] = None,
    end: Annotated[
        str | None, typer.Option(help="The first instant after the range; else its end.")
    ] = None,
    buckets: Annotated[int, typer.Option(help="Points to reduce the range to.", min=2)] = 200,
    function: Annotated[Function, typer.Option(help="What a point says.")] = Function.MEAN,
    threshold: Annotated[
        float, typer.Option(help="Deviations from the mean that make an anomaly.")
    ] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the points as CSV.")] = False,
    as_plot: Annotated[bool, typer.Option("--plot", help="Draw in the terminal.")] = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Ask what a stream says about a range of time."""
    with reported_errors():
        from aetherops.cli.connection import find_connection
        from aetherops.cli.query import answer
        from aetherops.cli.query.command import Question, ask
        from aetherops.errors import InvalidInputError
        from aetherops.instants import parse_us

        if as_json + as_csv + as_plot > 1:
            raise InvalidInputError("--json", "several forms", "one of --json, --csv and --plot")
        question = Question(
            stream,
            None if start is None else parse_us(start, "--start"),
            None if end is None else parse_us(end, "--end"),
            buckets,
            function.value,
            threshold,
        )
        found = ask(question, find_connection(data_dir, url, token))
        forms = (
            (as_json, answer.json_text),
            (as_csv, answer.csv_text),
            (as_plot, answer.plot_text),
        )
        form = next((write for chosen, write in forms if chosen), answer.summary_text)
        typer.echo(form(found))


@application.command()
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
    typer.echo(f"aetherops {__version__} ({IMPLEMENTATION} kernels, Python {python})")
    raise typer.Exit(ExitStatus.DONE)

"""The options of ``aetherops query``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aetherops.cli.arguments import DataDir, Token, Url
from aetherops.cli.outcome import reported_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from aetherops.cli.query.command import QueryAnswer

__all__ = ["query"]


class Function(StrEnum):
    """What a bucket says of its samples."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    MEDIAN = "median"
    LAST = "last"


def query(
    stream: Annotated[str, typer.Argument(help="service/source/parameter")],
    start: Annotated[
        str | None,
        typer.Option(
            help="A time such as 2026-01-31T12:00Z, a date (its midnight in UTC), a distance "
            "from now such as -1h, -15min or -7d, or now; else the stream's begin."
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option(help="The first instant after the range; else its end.")
    ] = None,
    buckets: Annotated[int, typer.Option(help="Points to reduce the range to.", min=2)] = 200,
    function: Annotated[
        Function | None,
        typer.Option(help="What a point says: the mean by default, of a state its last value."),
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="Deviations from the mean that make an anomaly.")
    ] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the points as CSV.")] = False,
    as_plot: Annotated[bool, typer.Option("--plot", help="Draw in the terminal.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="All samples, as CSV or with --json as JSON lines.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            help="With --raw: a file, whose name says how: .csv, .jsonl, .parquet, .arrow.",
            dir_okay=False,
        ),
    ] = None,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Ask what a stream says about a range of time."""
    with reported_errors():
        from aetherops.cli.connection import find_connection
        from aetherops.cli.output import check_drawable
        from aetherops.cli.query.command import Question, ask
        from aetherops.errors import InvalidInputError

        if as_json + as_csv + as_plot > 1:
            raise InvalidInputError("--json", "several forms", "one of --json, --csv and --plot")
        if raw and (as_plot or function is not None):
            wrong = "--plot" if as_plot else "--function"
            raise InvalidInputError(wrong, "--raw beside it", "one of the two")
        if output is not None and not raw:
            raise InvalidInputError("--output", str(output), "--raw beside it")
        if as_plot:
            check_drawable()
        start_us, end_us = _read_times(start, end)
        if raw:
            from aetherops.cli.query.raw import write_samples
            from aetherops.cli.query.writers import form_of, opener

            form = form_of(output, as_csv=as_csv, as_json=as_json)
            connection = find_connection(data_dir, url, token)
            write_samples(stream, start_us, end_us, connection, opener(form, output))
            return
        chosen = None if function is None else function.value
        question = Question(stream, start_us, end_us, buckets, chosen, threshold)
        found = ask(question, find_connection(data_dir, url, token))
        typer.echo(_form(as_json, as_csv, as_plot)(found))


def _read_times(start: str | None, end: str | None) -> tuple[int | None, int | None]:
    """Both ends of a range; that a date is a midnight in UTC is said on standard error."""
    import time

    from aetherops.cli.query.times import is_date, parse_time
    from aetherops.instants import to_iso

    now_us = time.time_ns() // 1_000
    read: list[int | None] = []
    for option, text in (("--start", start), ("--end", end)):
        us = None if text is None else parse_time(text, now_us, option)
        if us is not None and text is not None and is_date(text):
            typer.echo(f"{option} {text} is {to_iso(us)}", err=True)
        read.append(us)
    return read[0], read[1]


def _form(as_json: bool, as_csv: bool, as_plot: bool) -> Callable[[QueryAnswer], str]:
    from aetherops.cli.query import answer

    forms = ((as_json, answer.json_text), (as_csv, answer.csv_text), (as_plot, answer.plot_text))
    return next((write for chosen, write in forms if chosen), answer.summary_text)

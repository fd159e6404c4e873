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

_MOST_BUCKETS = 1_000_000


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
    buckets: Annotated[
        str, typer.Option(help="Points to reduce the range to.", metavar="NUMBER")
    ] = "200",
    function: Annotated[
        str | None,
        typer.Option(
            help="What a point says: the mean by default, of a state its last value.",
            metavar="mean|min|max|median|last",
        ),
    ] = None,
    threshold: Annotated[
        str,
        typer.Option(help="Deviations from the mean that make an anomaly.", metavar="NUMBER"),
    ] = "3",
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
        from aetherops.cli.values import choice, file_to_write, number, one_of, whole_number
        from aetherops.errors import InvalidInputError

        one_of(("--json", as_json), ("--csv", as_csv), ("--plot", as_plot))
        n_buckets = whole_number("--buckets", buckets, 2, _MOST_BUCKETS)
        chosen = None if function is None else choice("--function", function, Function).value
        deviations = number("--threshold", threshold)
        file_to_write("--output", output)
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
        question = Question(stream, start_us, end_us, n_buckets, chosen, deviations)
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

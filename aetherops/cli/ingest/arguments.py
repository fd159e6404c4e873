"""The options of ``aetherops ingest``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aetherops.cli.arguments import DataDir, Kind, Token, Url
from aetherops.cli.outcome import reported_errors

if TYPE_CHECKING:
    from aetherops.cli.ingest.targets import TargetsByColumn

__all__ = ["ingest"]


class Unit(StrEnum):
    """Unit of epoch times."""

    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"


def ingest(
    file: Annotated[str, typer.Argument(help="A CSV file, or - for standard input.")],
    stream: Annotated[
        str | None,
        typer.Option(
            help="Where to: service/source/parameter, in which {object} stands for the value "
            "of --split-by and {column} for the name of the column."
        ),
    ] = None,
    unit: Annotated[
        str, typer.Option(help="Unit of the values; that of the stream if not given.")
    ] = "",
    kind: Annotated[
        str | None,
        typer.Option(
            help="What the values are; what the stream has if not given, gauge for a new one.",
            metavar="gauge|counter|state",
            show_default=False,
        ),
    ] = None,
    time_column: Annotated[
        str | None, typer.Option(help="Name or number of the column of times.")
    ] = None,
    value_column: Annotated[
        str | None, typer.Option(help="Name or number of the column of values.")
    ] = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=STREAM",
            help="A column and its stream, in place of --stream, with a unit as in "
            "'speed=noaa/rtsw/speed [km/s]'; again for each column.",
        ),
    ] = None,
    all_columns: Annotated[
        bool,
        typer.Option("--all-columns", help="Every column of numbers, each into its {column}."),
    ] = False,
    split_by: Annotated[
        str | None,
        typer.Option(help="Column that names the object of a row: a stream for each {object}."),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(help="Zone of times without offset, such as UTC or Europe/Paris."),
    ] = None,
    epoch_unit: Annotated[
        str | None,
        typer.Option(
            help="Unit of numeric times; found by the size of most otherwise.",
            metavar="s|ms|us|ns",
        ),
    ] = None,
    decimal_comma: Annotated[
        bool, typer.Option("--decimal-comma", help="1,5 is one and a half.")
    ] = False,
    missing: Annotated[
        list[str] | None,
        typer.Option(help="What stands for no value, such as -9999.9; may be repeated."),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse a file with two rows of a stream at one instant."),
    ] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Write every rejected row to this CSV file.")
    ] = None,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Send the samples of a CSV file into streams, and wait until they are stored."""
    with reported_errors():
        from aetherops.cli.connection import find_connection
        from aetherops.cli.ingest.command import Job, ingest_file, warning_lines
        from aetherops.cli.ingest.layout_options import check_choice, layout_options
        from aetherops.cli.values import choice, file_to_write

        file_to_write("--rejects", rejects)
        chosen = "" if kind is None else choice("--kind", kind, Kind).value
        epoch = None if epoch_unit is None else choice("--epoch-unit", epoch_unit, Unit)
        check_choice(stream, mapped or [], value_column, all_columns)
        targets = _targets(stream, mapped or [], unit, chosen)
        wanted = layout_options(
            time_column,
            value_column,
            timezone,
            epoch,
            value_columns=tuple(name for name in targets if name is not None),
            all_columns=all_columns,
            split_by=split_by,
            decimal_comma=decimal_comma or None,
            missing=frozenset(missing or ()),
        )
        connection = find_connection(data_dir, url, token)
        report = ingest_file(Job(file, targets, wanted, rejects, strict), connection)
        for line in warning_lines(report):
            typer.echo(line, err=True)
        typer.echo(str(report))
        raise typer.Exit(report.status)


def _targets(stream: str | None, mapped: list[str], unit: str, kind: str) -> TargetsByColumn:
    """Where each column goes, as far as can be checked before the file is opened."""
    from aetherops.archive.stream import Stream, StreamName
    from aetherops.cli.ingest.targets import ColumnTarget, parse_mapping, with_sample_names
    from aetherops.errors import InvalidInputError

    targets: dict[str | None, ColumnTarget] = {}
    if stream is not None:
        targets[None] = ColumnTarget(stream, unit, kind)
    for text in mapped:
        column, target = parse_mapping(text, unit, kind)
        if column in targets:
            raise InvalidInputError("--map", text, "each column once")
        targets[column] = target
    for target in targets.values():
        name = StreamName.parse(with_sample_names(target.template), target.option)
        Stream(name, target.unit, target.kind)
    return targets

"""The options of ``aetherops streams``; without a word of its own it lists."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from aetherops.cli.arguments import DataDir, Kind, Token, Url
from aetherops.cli.outcome import reported_errors
from aetherops.cli.usage import CheckedCommand

__all__ = ["streams"]


class ListsByDefault(TyperGroup):
    """``streams orbit/`` is ``streams list orbit/``: how names begin stands where a word could."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the word in that was left out."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


streams = typer.Typer(
    rich_markup_mode=None,
    cls=ListsByDefault,
    help="List the streams, or change what is said of one: `streams orbit/` lists.",
    no_args_is_help=False,
)


@streams.command("list", cls=CheckedCommand)
def list_streams(
    prefix: Annotated[str, typer.Argument(help="How their names begin.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """List the streams, with their units, kinds, counts and ranges of time."""
    with reported_errors():
        from aetherops.cli.connection import find_connection
        from aetherops.cli.streams.listing import all_streams, json_text, table_text

        found = all_streams(prefix, find_connection(data_dir, url, token))
        if as_json:
            typer.echo(json_text(found))
        elif found:
            typer.echo(table_text(found))
        else:
            beginning = f" whose name begins with {prefix!r}" if prefix else ""
            typer.echo(f"there is no stream{beginning}", err=True)


@streams.command("set", cls=CheckedCommand)
def describe_stream(
    name: Annotated[str, typer.Argument(help="service/source/parameter")],
    unit: Annotated[
        str | None, typer.Option(help="Unit of all its values.", show_default=False)
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="What its values are.", metavar="gauge|counter|state", show_default=False
        ),
    ] = None,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Change the unit or the kind of a stream, for all its samples; who did it is kept."""
    with reported_errors():
        from aetherops.cli.connection import find_connection
        from aetherops.cli.streams.describing import described
        from aetherops.cli.values import choice
        from aetherops.errors import InvalidInputError

        chosen = None if kind is None else choice("--kind", kind, Kind).value
        given = {"unit": unit, "kind": chosen}
        known = {field: value for field, value in given.items() if value is not None}
        if not known:
            raise InvalidInputError("--unit, --kind", None, "one of them, or both")
        found = described(name, known, find_connection(data_dir, url, token))
        unit_text = found["unit"] or "no unit"
        typer.echo(f"{found['stream']}: {unit_text}, {found['kind']}")

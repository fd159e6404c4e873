"""The options of ``aetherops workflow migrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aetherops.cli.arguments import DataDir, Token, Url
from aetherops.cli.outcome import ExitStatus, reported_errors
from aetherops.cli.output import printable_lines
from aetherops.cli.usage import CheckedCommand
from aetherops.cli.workflow.arguments import AsJson, connection_of, workflow
from aetherops.errors import InvalidInputError

__all__ = ["migrate_workflows"]


@workflow.command("migrate", cls=CheckedCommand)
def migrate_workflows(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Pickles and JSON dumps."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look, and store nothing.")] = False,
    artifacts_as_text: Annotated[
        bool,
        typer.Option(
            "--artifacts-as-text", help="Keep the text of artifacts that JSON cannot hold."
        ),
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Capture workflows of earlier versions; run it again, and what is done is left alone."""
    with reported_errors():
        from aetherops.cli.workflow.migration import migrate_files, report_json, report_text
        from aetherops.cli.workflow.texts import json_text

        report = migrate_files(
            [_file(path) for path in files],
            connection_of(data_dir, url, token),
            dry_run=dry_run,
            artifacts_as_text=artifacts_as_text,
        )
        typer.echo(
            json_text(report_json(report)) if as_json else printable_lines(report_text(report))
        )
    if not report.ok:
        raise typer.Exit(ExitStatus.SOME_REJECTED)


def _file(path: Path) -> Path:
    if path.is_file():
        return path
    raise InvalidInputError("FILE", str(path), "a file to read")

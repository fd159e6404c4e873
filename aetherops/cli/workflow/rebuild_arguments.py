"""The options of ``aetherops workflow rebuild``."""

from __future__ import annotations

import typer

from aetherops.cli.arguments import DataDir
from aetherops.cli.outcome import reported_errors
from aetherops.cli.usage import CheckedCommand
from aetherops.cli.workflow.arguments import AsJson, workflow

__all__ = ["workflow"]


@workflow.command("rebuild", cls=CheckedCommand)
def rebuild_lists(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Fill the lists of workflows anew from their events, beside those that answer, and swap."""
    with reported_errors():
        from aetherops.cli.workflow.rebuilding import rebuild
        from aetherops.cli.workflow.texts import json_text, rebuilt_text

        done = rebuild(data_dir)
        typer.echo(json_text(done) if as_json else rebuilt_text(done))

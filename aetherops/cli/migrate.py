"""``aetherops migrate``: the database of your own PostgreSQL, by its owner."""

from __future__ import annotations

import asyncio

import typer

from aetherops.bootstrap import migrate_database
from aetherops.cli.options import settings_with
from aetherops.runtime.logs import configure_logging
from aetherops.runtime.settings_reading import told_by_variable

__all__ = ["migrate_and_tell"]


def migrate_and_tell(grant_to: str | None) -> None:
    """Apply what is missing, and print a line for each.

    Parameters
    ----------
    grant_to : the role that serves; that of the runtime DSN if None.
    """
    settings = settings_with()
    configure_logging(settings)
    with told_by_variable():
        applied, role = asyncio.run(migrate_database(settings, grant_to))
    for name in applied:
        typer.echo(f"applied {name}")
    typer.echo(f"the database is up to date, and {role} may use it")

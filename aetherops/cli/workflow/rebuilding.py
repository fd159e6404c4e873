"""``aetherops workflow rebuild``: on the database itself, as the role that serves."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any

from aetherops.bootstrap import rebuild_read_models
from aetherops.cli.options import settings_with
from aetherops.runtime.settings_reading import told_by_variable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["rebuild"]


def rebuild(data_dir: Path | None) -> dict[str, Any]:
    """Fill the lists anew, on your PostgreSQL where one is set, else on that of a local platform.

    Returns
    -------
    ``{"events": …, "seconds": …}``: how many were read, and how long it took.
    """
    settings = settings_with(data_dir)
    began_s = time.monotonic()
    shows = sys.stderr.isatty()
    try:
        with told_by_variable():
            done = asyncio.run(
                rebuild_read_models(settings, _tell if shows else lambda _, __: None)
            )
    finally:
        if shows:
            print(file=sys.stderr)  # noqa: T201
    return {"events": done.position, "seconds": round(time.monotonic() - began_s, 1)}


def _tell(position: int, last: int) -> None:
    """Where it has come to, on one line of the terminal; events of meanwhile are read too."""
    line = f"\r{position:,} of {max(last, position):,} events"
    print(f"{line:<60}", end="", file=sys.stderr, flush=True)  # noqa: T201

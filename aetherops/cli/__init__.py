"""The command line: ``aetherops up``, ``aetherops ingest``, ``aetherops query`` and the others."""

from __future__ import annotations

import signal
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    try:
        _run()
    except KeyboardInterrupt:  # before a command began
        sys.exit(130)
    finally:
        # The command has ended, and said so: nothing is left to interrupt.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run() -> None:
    try:
        from aetherops.cli.application import application
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "aetherops":
            raise
        sys.exit(
            f"aetherops: the command line needs {error.name}: "
            "pip install 'aetherops[server,embedded]' (without 'embedded' where no server is to "
            "run here)"
        )
    application(prog_name="aetherops")

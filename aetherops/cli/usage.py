"""Faults in how a command was called: one line on standard error, as every other error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

import typer
from typer.core import TyperGroup

from aetherops.cli.outcome import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click import UsageError

__all__ = ["OneLineUsageErrors"]

# Typer has click's errors of its own in some versions, and click's in others.
_USAGE_ERROR = cast("type[UsageError]", typer.BadParameter.__mro__[1])


class OneLineUsageErrors(TyperGroup):
    """A group of commands whose usage errors are told in one line, with status 2."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command that the arguments name, and exit with its status."""

        def run() -> Any:
            return super(OneLineUsageErrors, self).main(
                args, prog_name, complete_var, False, windows_expand_args, **extra
            )

        if not standalone_mode:
            return run()
        try:
            status = run()
        except _USAGE_ERROR as error:
            print(f"aetherops: {_told(error)}", file=sys.stderr)  # noqa: T201
            sys.exit(ExitStatus.BAD_INPUT)
        except typer.Abort:
            sys.exit(ExitStatus.INTERRUPTED)
        sys.exit(status or ExitStatus.DONE)


def _told(error: UsageError) -> str:
    """What is wrong, and where the right usage stands."""
    message = " ".join(error.format_message().split()).removesuffix(".")
    path = error.ctx.command_path if error.ctx else "aetherops"
    return f"{message} (see {path} --help)"

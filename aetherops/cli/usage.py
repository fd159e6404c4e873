"""Faults in how a command was called: one line on standard error, as every other error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from aetherops.cli.outcome import ExitStatus
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click import UsageError

__all__ = ["CheckedCommand", "OneLineUsageErrors"]

#: What names a file, which may have any bytes; paths are no texts anyhow.
_FILES = frozenset({"file"})

#: Options of which an empty text says something.
_MAY_BE_EMPTY = frozenset({"--missing", "--unit"})

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
        except InvalidInputError as error:
            print(f"aetherops: {error}", file=sys.stderr)  # noqa: T201
            sys.exit(ExitStatus.BAD_INPUT)
        except _USAGE_ERROR as error:
            print(f"aetherops: {_told(error)}", file=sys.stderr)  # noqa: T201
            sys.exit(ExitStatus.BAD_INPUT)
        except typer.Abort:
            sys.exit(ExitStatus.INTERRUPTED)
        sys.exit(status or ExitStatus.DONE)


class CheckedCommand(TyperCommand):
    """A command that refuses an option given twice with different values, and an empty one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Check the texts as they were typed, then read them as usual."""
        for parameter in self.get_params(ctx):
            if parameter.param_type_name == "option" and not getattr(parameter, "is_flag", False):
                _check_values(parameter, args)
        rest = super().parse_args(ctx, args)
        for parameter in self.get_params(ctx):
            if parameter.name not in _FILES:
                _check_text(parameter, ctx.params.get(parameter.name))
        return rest


def _check_values(parameter: Any, args: list[str]) -> None:
    values: list[str] = []
    for option in parameter.opts:
        for i, text in enumerate(args):
            if text == "--":
                break
            if text == option and i + 1 < len(args):
                values.append(args[i + 1])
            elif text.startswith(f"{option}="):
                values.append(text.removeprefix(f"{option}="))
    name = parameter.opts[0]
    if len(set(values)) > 1 and not parameter.multiple:
        raise InvalidInputError(name, ", ".join(values), "one value")
    if "" in values and name not in _MAY_BE_EMPTY:
        raise InvalidInputError(name, "", "a value")


def _check_text(parameter: Any, value: object) -> None:
    """Refuse bytes that were no text in the terminal's encoding."""
    for text in value if isinstance(value, list | tuple) else (value,):
        if isinstance(text, str) and not _is_text(text):
            is_option = parameter.param_type_name == "option"
            name = parameter.opts[0] if is_option else parameter.name.upper()
            raise InvalidInputError(name, text, "text in UTF-8")


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _told(error: UsageError) -> str:
    """What is wrong, and where the right usage stands."""
    message = " ".join(error.format_message().split()).removesuffix(".")
    path = error.ctx.command_path if error.ctx else "aetherops"
    return f"{message} (see {path} --help)"

"""How commands end: their exit statuses, and one line for an error."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

import typer

from aetherops.cli.output import printable_lines
from aetherops.errors import (
    AetherOpsError,
    InvalidInputError,
    LimitExceededError,
    NotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ExitStatus",
    "FaultFoundError",
    "ServerBusyError",
    "ServerRefusedError",
    "reported_errors",
]


class ExitStatus(IntEnum):
    """Exit statuses of every command."""

    DONE = 0
    SOME_REJECTED = 1
    BAD_INPUT = 2
    NO_SERVER = 3
    INTERRUPTED = 130


class ServerRefusedError(AetherOpsError):
    """The server answered, and did not do what was asked."""


class ServerBusyError(ServerRefusedError):
    """The server cannot do it now, and may later.

    Parameters
    ----------
    message : what it says.
    retry_after_s : seconds that it asks to wait before a new try; None where it does not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class FaultFoundError(AetherOpsError):
    """The server found a fault in what was asked, in its own words."""


_INPUT_ERRORS = (InvalidInputError, NotFoundError, LimitExceededError, FaultFoundError)


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn errors of the platform into one line on standard error and an exit status."""
    try:
        yield
    except AetherOpsError as error:
        print(printable_lines(f"aetherops: {error}"), file=sys.stderr)  # noqa: T201
        bad_input = isinstance(error, _INPUT_ERRORS)
        raise typer.Exit(ExitStatus.BAD_INPUT if bad_input else ExitStatus.NO_SERVER) from error
    except BrokenPipeError:
        # The reader of our output has left, as `head` does: no error, and nothing to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(ExitStatus.DONE) from None
    except OSError as error:
        print(printable_lines(f"aetherops: {_told(error)}"), file=sys.stderr)  # noqa: T201
        raise typer.Exit(ExitStatus.BAD_INPUT) from error
    except KeyboardInterrupt:
        raise typer.Exit(ExitStatus.INTERRUPTED) from None


def _told(error: OSError) -> str:
    """Which file, and what is wrong with it, without the system's number for that."""
    if not error.strerror:
        return str(error)
    if error.filename is None:
        return error.strerror.lower()
    return f"{os.fsdecode(error.filename)}: {error.strerror.lower()}"

"""Text on standard output, whatever its encoding."""

from __future__ import annotations

import codecs
import io
import sys

from aetherops.errors import InvalidInputError

__all__ = [
    "can_write",
    "check_drawable",
    "printable",
    "printable_lines",
    "write_what_can_be_written",
]

_DRAWN = "⣿×│"


def write_what_can_be_written() -> None:
    """Write a character that standard output's encoding lacks as an escape, as errors are.

    An encoding of ASCII is that of a locale which says nothing (``LANG=C``): UTF-8 holds it.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        silent = codecs.lookup(sys.stdout.encoding).name == "ascii"
        sys.stdout.reconfigure(
            encoding="utf-8" if silent else sys.stdout.encoding, errors="backslashreplace"
        )


def can_write(text: str) -> bool:
    """Whether standard output's encoding has every character of a text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> str:
    """A text from elsewhere, with escapes for what would move the cursor or turn the line."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def printable_lines(text: str) -> str:
    """Lines of ours that say what others wrote: see `printable`."""
    return "\n".join(map(printable, text.split("\n")))


def check_drawable() -> None:
    """Refuse a plot where standard output cannot show one.

    Raises
    ------
    InvalidInputError
        Its encoding lacks the characters of a plot.
    """
    if not can_write(_DRAWN):
        expected = "an output that is written in UTF-8 (PYTHONIOENCODING=utf-8 makes it so)"
        raise InvalidInputError("--plot", sys.stdout.encoding, expected)

"""Lines of a CSV file: comments, fields, and the delimiter between them."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from aetherops.archive.csv.reasons import Reason, RowError
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["find_delimiter", "is_comment", "split_line", "split_lines"]

_DELIMITERS = ("\t", ";", ",")
_COMMENT = "#"


def is_comment(line: str) -> bool:
    """Whether a line is for people alone."""
    return line.lstrip().startswith(_COMMENT)


def split_line(line: str, delimiter: str) -> list[str]:
    """The fields of one line, quotes removed. A quoted field ends within its line.

    Raises
    ------
    RowError
        A quote is not closed, or stands where none may.
    """
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise RowError(Reason.QUOTES, str(error)) from None


def split_lines(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Fields of every line, without spaces around; a line with broken quotes has none."""
    rows = []
    for line in lines:
        try:
            rows.append([field.strip() for field in split_line(line, delimiter)])
        except RowError:
            rows.append([])
    return rows


def find_delimiter(lines: Sequence[str]) -> str:
    """The delimiter that cuts most lines into as many fields as the first; ties go to `;`."""

    def agreement(delimiter: str) -> int:
        rows = split_lines(lines, delimiter)
        return 0 if len(rows[0]) < 2 else sum(len(row) == len(rows[0]) for row in rows)

    best = max(_DELIMITERS, key=agreement)
    if agreement(best) == 0:
        raise InvalidInputError(
            "first line", lines[0], "at least two fields, delimited by comma, semicolon or tab"
        )
    return best

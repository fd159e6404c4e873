"""Migration files: their names, what their first line declares, and their steps."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["Migration", "Step", "read_migrations"]

_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_DECLARATION = re.compile(r"-- (expand|contract after (\d{4}))(, in steps)?\n")
_STEP = re.compile(r"^-- step(: repeat)?\n", re.MULTILINE)
# These were applied before migrations declared anything, and an applied file never changes.
_LAST_UNDECLARED = "0002"
_EXPECTED_LINE = "-- expand, or -- contract after NNNN, and then perhaps: , in steps"


@dataclass(frozen=True, slots=True)
class Step:
    """A statement that is committed by itself, and may be run again after a kill.

    Parameters
    ----------
    repeats : run until it changes no row: a large table is filled in pieces.
    """

    sql: str
    repeats: bool


@dataclass(frozen=True, slots=True)
class Migration:
    """One file.

    Parameters
    ----------
    name : its name without ``.sql``.
    after : a version that does not know the migration of this number cannot run beside this one;
        None where any can.
    is_declared : its first line says that; those of the first versions do not.
    steps : what is committed one by one; empty where the whole text is one transaction.
    """

    name: str
    sql: str
    after: str | None = None
    is_declared: bool = False
    steps: tuple[Step, ...] = ()

    @property
    def number(self) -> str:
        return self.name[:4]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(directory: Traversable | None = None) -> list[Migration]:
    """The migrations of a directory in their order; those of the package by default.

    Raises
    ------
    InvalidInputError
        A file name has another form or a number twice, or a first line declares nothing.
    """
    migrations: dict[str, Migration] = {}
    found = (directory or files("aetherops.migrations")).iterdir()
    for file in sorted(found, key=lambda file: file.name):
        if not file.name.endswith(".sql"):
            continue
        match = _FILE_NAME.fullmatch(file.name)
        if match is None or match[1] in migrations:
            raise InvalidInputError(
                "migration", file.name, "a name as 0001_what_it_does.sql, each number once"
            )
        migrations[match[1]] = _parse(file.name.removesuffix(".sql"), file.read_text("utf-8"))
    return list(migrations.values())


def _parse(name: str, sql: str) -> Migration:
    declaration = _DECLARATION.match(sql)
    if declaration is None:
        if name[:4] > _LAST_UNDECLARED:
            raise InvalidInputError(f"migration {name}", sql.partition("\n")[0], _EXPECTED_LINE)
        return Migration(name, sql)
    after = declaration[2]
    if after is not None and after > name[:4]:
        raise InvalidInputError(f"migration {name}", after, "a number up to its own")
    steps = _steps(name, sql) if declaration[3] else ()
    return Migration(name, sql, after, True, steps)


def _steps(name: str, sql: str) -> tuple[Step, ...]:
    """What stands between the lines ``-- step``: texts and marks take turns after the first."""
    _, *parts = _STEP.split(sql)
    if not parts:
        raise InvalidInputError(f"migration {name}", "no step", "lines that say: -- step")
    return tuple(
        Step(text, repeats=mark is not None)
        for mark, text in zip(parts[::2], parts[1::2], strict=True)
    )

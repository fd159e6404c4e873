"""What the runtime role may do with each table and function, as ``rights.toml`` says."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RUNTIME_FUNCTIONS", "RUNTIME_RIGHTS"]

_TEXT = (files("aetherops.migrations") / "rights.toml").read_text("utf-8")

_CALL = "()"
_LINES = tomllib.loads(_TEXT)

#: Rights by the name of the table or view, in capitals.
RUNTIME_RIGHTS: Mapping[str, tuple[str, ...]] = {
    table: tuple(right.upper() for right in rights)
    for table, rights in _LINES.items()
    if not table.endswith(_CALL)
}

#: Names of the functions that it may call beside those that everybody may.
RUNTIME_FUNCTIONS = tuple(name.removesuffix(_CALL) for name in _LINES if name.endswith(_CALL))

"""What the runtime role may do with each table, as ``rights.toml`` says."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RUNTIME_RIGHTS"]

_TEXT = (files("aetherops.migrations") / "rights.toml").read_text("utf-8")

#: Rights by the name of the table or view, in capitals.
RUNTIME_RIGHTS: Mapping[str, tuple[str, ...]] = {
    table: tuple(right.upper() for right in rights)
    for table, rights in tomllib.loads(_TEXT).items()
}

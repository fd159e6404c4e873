"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["DataDir", "Kind", "Token", "Url"]


class Kind(StrEnum):
    """What the values of a stream are."""

    GAUGE = "gauge"
    COUNTER = "counter"
    STATE = "state"


DataDir = Annotated[
    Path | None,
    typer.Option(help="Directory of a local instance.", show_default=False),
]
Url = Annotated[
    str | None,
    typer.Option(help="Address of an instance anywhere, such as http://127.0.0.1:8080."),
]
Token = Annotated[
    str | None,
    typer.Option(help="Bearer token, with --url.", envvar="AETHEROPS_TOKEN", show_envvar=True),
]

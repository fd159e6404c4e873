"""Settings from the environment, with a command's options in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from aetherops.errors import InvalidInputError
from aetherops.runtime.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["settings_with"]


def settings_with(
    data_dir: Path | None = None, host: str | None = None, port: int | None = None
) -> Settings:
    """Settings in which the options that are given go before the environment.

    Raises
    ------
    InvalidInputError
        A variable of the environment holds what its setting cannot be.
    """
    if data_dir is not None:
        data_dir = data_dir.absolute()
    options = {"data_dir": data_dir, "host": host, "port": port}
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        # What was found is not shown: it may be a password.
        raise InvalidInputError(f"AETHEROPS_{name}", "another value", first["msg"]) from error

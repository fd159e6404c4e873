"""Settings from the environment, with a command's options in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aetherops.errors import InvalidInputError
from aetherops.runtime.settings_reading import read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from aetherops.runtime.settings import Settings

__all__ = ["settings_with"]


def settings_with(
    data_dir: Path | None = None, host: str | None = None, port: int | None = None
) -> Settings:
    """Settings in which the options that are given go before the environment.

    Raises
    ------
    InvalidInputError
        The directory is a file, or a variable of the environment holds what its setting cannot be.
    """
    if data_dir is not None:
        data_dir = data_dir.absolute()
        if data_dir.exists() and not data_dir.is_dir():
            raise InvalidInputError("--data-dir", str(data_dir), "a directory, and this is none")
    options = {"data_dir": data_dir, "host": host, "port": port}
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    return read_settings(**given)

"""Files and directories that only their owner may read."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from platformdirs import user_data_path

from aetherops.errors import InvalidInputError

__all__ = ["default_data_dir", "prepare_data_dir", "write_private"]


# Root's home is closed to the user that PostgreSQL runs as, and no place for a service's data.
_OF_ROOT = Path("/var/lib/aetherops")


def default_data_dir() -> Path:
    """Where an instance lives that was given no place: in its user's data, root's under /var/lib.

    Root's instances from before that rule stay where they are.
    """
    of_user = user_data_path("aetherops")
    if sys.platform == "linux" and os.geteuid() == 0 and not (of_user / "postgres").exists():
        return _OF_ROOT
    return of_user


def prepare_data_dir(data_dir: Path) -> Path:
    """Make the data directory where it is missing (mode 0700) and return its absolute path.

    Raises
    ------
    InvalidInputError
        It cannot be made, or this user cannot write in it.
    """
    data_dir = data_dir.expanduser().absolute()
    expected = "a directory that can be made and written"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        expected += f" ({error.strerror})"
        raise InvalidInputError("data_dir", str(data_dir), expected) from None
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        raise InvalidInputError("data_dir", str(data_dir), expected)
    return data_dir


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file of mode 0600 in one step: a reader sees the old content or the new one."""
    data = content.encode() if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

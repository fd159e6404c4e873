"""Directories for Unix sockets, whose paths the system limits to about a hundred bytes."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from aetherops.errors import InvalidInputError

__all__ = ["release_socket_directory", "socket_directory"]

# 104 bytes on macOS, 108 on Linux, the closing zero included.
_LONGEST_PATH_BYTES = 103


def socket_directory(directory: Path, socket_name: str, owner_uid: int) -> Path:
    """A private directory in which a socket of this name can be bound.

    It is the given one, or, where its path is too long or has a comma (which separates hosts in a
    DSN), one of mode 0700 among the system's temporary files, always the same for the same given
    directory.

    Raises
    ------
    InvalidInputError
        Somebody else made that temporary directory.
    """
    path = os.fsencode(directory / socket_name)
    if len(path) <= _LONGEST_PATH_BYTES and b"," not in path:
        return directory
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:20]
    short = Path(tempfile.gettempdir()) / f"aetherops-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    state = short.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid not in (os.geteuid(), owner_uid):
        raise InvalidInputError("socket directory", str(short), "a directory of our own")
    os.chown(short, owner_uid, -1)
    short.chmod(0o700)
    return short


def release_socket_directory(sockets: Path, directory: Path) -> None:
    """Remove what `socket_directory` made outside of the given directory, once it is empty."""
    if sockets != directory:
        with suppress(OSError):
            sockets.rmdir()

"""Exclusive files: at most one process holds one, and the system frees it when its holder dies.

The lock is on the open file, not on its existence: a file that a killed process left locks nobody
out, and a reused process id deceives nobody.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aetherops.errors import AetherOpsError

__all__ = ["AlreadyRunningError", "exclusive", "is_held", "try_lock"]

# `is_held` takes the lock for a moment; who wants to hold it waits that long.
_ATTEMPTS = 5
_ATTEMPT_INTERVAL_S = 0.02


class AlreadyRunningError(AetherOpsError):
    """Another process uses this data directory.

    Parameters
    ----------
    data_dir : the directory that both want.
    pid : the process that has it, where it could be read.
    """

    def __init__(self, data_dir: Path, pid: str) -> None:
        self.data_dir = data_dir
        self.pid = pid
        super().__init__(data_dir, pid)

    def __str__(self) -> str:
        holder = f" (process {self.pid})" if self.pid else ""
        return (
            f"{self.data_dir} is in use by another AetherOps{holder}: "
            "end that one, or choose another --data-dir"
        )


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file for the time of a ``with`` block; child processes do not inherit it.

    Raises
    ------
    AlreadyRunningError
        Another process holds it; the file names its process id.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        for attempt in range(_ATTEMPTS):
            if try_lock(descriptor):
                break
            if attempt + 1 < _ATTEMPTS:
                time.sleep(_ATTEMPT_INTERVAL_S)
        else:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            raise AlreadyRunningError(path.parent, holder)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock file now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Lock an open file if nobody has; the lock lasts until its last descriptor is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

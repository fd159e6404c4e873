"""Turns this process into a server that ends when its parent does. Run as a script::

    python -I -S leash.py PARENT_PID LOCK_FD SIGNAL USER PROGRAM [ARGUMENT ...]

A script of its own, not a function run between fork and exec: there no Python code is safe once the
parent has threads. It imports nothing of the package, so that it starts in milliseconds.

LOCK_FD is an inherited, locked file. The server keeps it open and never knows: the lock is held as
long as the server or a child of it lives, and the file tells its process id.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1


def become(parent_pid: int, lock_fd: int, death_signal: int, user: str, command: list[str]) -> None:
    """Drop to the user (``""``: stay), tie this process to its parent, and run the command."""
    os.umask(0o077)
    if user:
        _become_user(user)
    if sys.platform == "linux":
        # Only now: a change of user clears it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent_pid:
        sys.exit("the parent ended before its server began")
    os.ftruncate(lock_fd, 0)
    os.pwrite(lock_fd, f"{os.getpid()}\n".encode(), 0)
    os.execv(command[0], command)  # noqa: S606 (no shell is wanted)


def _become_user(name: str) -> None:
    entry = pwd.getpwnam(name)
    os.initgroups(name, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:])

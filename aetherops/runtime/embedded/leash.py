"""Turns this process into a server that ends when its parent does. Run as a script::

    python -I -S leash.py PARENT_PID LOCK_FD SIGNAL USER PATHS PROGRAM [ARGUMENT ...]

A script of its own, not a function run between fork and exec: there no Python code is safe once the
parent has threads. It imports nothing of the package, so that it starts in milliseconds.

LOCK_FD is an inherited, locked file. The server keeps it open and never knows: the lock is held as
long as the server or a child of it lives, and the file tells its process id.

USER is ``uid:gid``, and PATHS a JSON list of directories that it must reach. Where it may not pass
what is above them, a home of mode 0700, no mode is changed: the server gets a view of the file
system of its own in which these directories, and nothing else, stand where they stand.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_CLONE_NEWNS = 0x20000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_SEARCH = 0o1


def become(
    parent_pid: int,
    lock_fd: int,
    death_signal: int,
    user: str,
    paths: list[str],
    command: list[str],
) -> None:
    """Drop to the user (``""``: stay), tie this process to its parent, and run the command."""
    if user:
        uid, gid = map(int, user.split(":"))
        _reach(paths, uid, gid)
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    if sys.platform == "linux":
        # Only now: a change of user clears it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent_pid:
        sys.exit("the parent ended before its server began")
    os.ftruncate(lock_fd, 0)
    os.pwrite(lock_fd, f"{os.getpid()}\n".encode(), 0)
    try:
        os.execv(command[0], command)  # noqa: S606 (no shell is wanted)
    except PermissionError:
        sys.exit(f"FATAL: user {user} may not run {command[0]}: install where others may read")


def _reach(paths: list[str], uid: int, gid: int) -> None:
    """Let the user get to each path, by a view of the file system that this process alone has."""
    closed = {path: found for path in paths if (found := _closed_above(path, uid, gid))}
    if not closed:
        return
    try:
        _call("unshare", _CLONE_NEWNS)
        _call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
        kept = {path: os.open(path, os.O_PATH) for path in closed}
        for above in set(closed.values()):
            _call("mount", b"none", os.fsencode(above), b"tmpfs", 0, b"mode=0711,size=64k")
        os.umask(0o066)
        for path, descriptor in kept.items():
            Path(path).mkdir(parents=True, exist_ok=True)
            source = f"/proc/self/fd/{descriptor}".encode()
            _call("mount", source, os.fsencode(path), None, _MS_BIND | _MS_REC, None)
            os.close(descriptor)
    except OSError as error:
        sys.exit(
            f"FATAL: user {uid}:{gid} may not pass {', '.join(sorted(set(closed.values())))}, and "
            f"no view of its own can be made for it here ({error.strerror}): choose a --data-dir "
            "under a directory that others may pass, such as /var/lib/aetherops"
        )


def _closed_above(path: str, uid: int, gid: int) -> str:
    """The first directory on the way to the path that the user may not pass; "" for none."""
    for above in reversed(Path(path).parents):
        state = above.stat()
        shift = 6 if state.st_uid == uid else 3 if state.st_gid == gid else 0
        if not state.st_mode >> shift & _SEARCH:
            return str(above)
    return ""


def _call(name: str, *arguments: bytes | int | None) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    parent, lock, number = map(int, sys.argv[1:4])
    become(parent, lock, number, sys.argv[4], json.loads(sys.argv[5]), sys.argv[6:])

"""Whom PostgreSQL runs as where we are root, which it refuses to be: a number of its own.

No user is made and none is shared. A cluster belongs to the number it was made with, and whoever
has another number, a second instance's server too, does not get at it.
"""

from __future__ import annotations

import os
import pwd
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from aetherops.runtime.embedded.child import ServerStartError

__all__ = [
    "Account",
    "give_to",
    "let_pass",
    "maker_of_clusters",
    "new_account",
    "owner_of",
    "require_a_name",
]

# Numbers that no system hands out, and, where a container has fewer, those of services that need
# a user for as long as they run.
_NUMBERS, _FEWER_NUMBERS = range(0x7000_0000, 0x7FFF_0000), range(61_184, 65_520)
_ID_MAP = Path("/proc/self/uid_map")
_ATTEMPTS = 100
_CAP_SYS_ADMIN = 21

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """Numbers of a user and its group."""

    uid: int
    gid: int


def owner_of(path: Path) -> Account:
    """Whose the path is."""
    state = path.stat()
    return Account(state.st_uid, state.st_gid)


def new_account() -> Account:
    """Numbers that no user, group or process has."""
    numbers = _NUMBERS if _is_mapped(_NUMBERS[-1]) else _FEWER_NUMBERS
    for _ in range(_ATTEMPTS):
        number = secrets.choice(numbers)
        if not _is_taken(number):
            return Account(number, number)
    raise ServerStartError("postgres", "it cannot run as root, and no user number is free for it")


def maker_of_clusters() -> Account:
    """The user that makes a cluster: ``initdb`` wants one that has a name."""
    with suppress(KeyError):
        nobody = pwd.getpwnam("nobody")
        return Account(nobody.pw_uid, nobody.pw_gid)
    raise ServerStartError(
        "postgres", "it cannot run as root, and there is no user nobody: run as another user"
    )


def require_a_name() -> None:
    """Refuse to make a cluster as a user number without a name, which ``initdb`` looks up.

    A container that is run as any number has none. A cluster that exists needs none.
    """
    number = os.geteuid()
    try:
        pwd.getpwuid(number)
    except KeyError:
        raise ServerStartError(
            "postgres",
            f"the user number {number} has no name here, and making a cluster needs one: add "
            f"the line aetherops:x:{number}:{os.getegid()}::/:/bin/false to /etc/passwd (of the "
            "image), run as a user that has a name, or set AETHEROPS_POSTGRES_DSN",
        ) from None


def give_to(account: Account, directory: Path) -> None:
    """Make a directory and all in it the account's; no link is followed."""
    for folder, folders, files in os.walk(directory):
        for name in [*folders, *files]:
            os.chown(Path(folder, name), account.uid, account.gid, follow_symlinks=False)
    os.chown(directory, account.uid, account.gid)


def let_pass(data_dir: Path) -> None:
    """Let others pass, not list, the data directory where no view of its own can be made.

    That is so in containers. Directories above it are not ours to open.
    """
    mode = stat.S_IMODE(data_dir.stat().st_mode)
    if not _may_mount() and not mode & stat.S_IXOTH:
        data_dir.chmod(mode | stat.S_IXOTH)
        _log.warning("directory_opened", path=str(data_dir), mode=f"{mode | stat.S_IXOTH:04o}")


def _may_mount() -> bool:
    """Whether this root has what it takes to make views of the file system."""
    try:
        state = Path("/proc/self/status").read_text()
    except FileNotFoundError:  # no Linux
        return False
    effective = next(line for line in state.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> _CAP_SYS_ADMIN & 1)


def _is_mapped(number: int) -> bool:
    """Whether files can belong to the number here: a container may have but a few."""
    try:
        spans = [line.split() for line in _ID_MAP.read_text().splitlines()]
    except FileNotFoundError:  # no Linux
        return True
    return any(int(first) <= number < int(first) + int(count) for first, _, count in spans)


def _is_taken(number: int) -> bool:
    with suppress(KeyError):
        pwd.getpwuid(number)
        return True
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if process.stat().st_uid == number:
                return True
    return False

"""The disk under the data directory: how much room it has, and how that is shared out.

A database that finds no room for its log ends itself, and a start on a full disk fails. So what
comes in is refused while there is still a reserve, and questions go on being answered.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from aetherops.errors import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Disk", "DiskFullError", "byte_text"]

_MIB = 2**20
#: A few segments of PostgreSQL's log, and what questions sort outside of memory.
_LEAST_RESERVE, _MOST_RESERVE = 64 * _MIB, 512 * _MIB
_LEAST_BACKLOG, MOST_BACKLOG = 16 * _MIB, 4 * 2**30
_LEAST_WAL, _MOST_WAL = 64 * _MIB, 2**30
#: A file that is there to be given up: with its room, servers start on a disk that is full.
_BALLAST_FILE, _BALLAST_BYTES = "disk-reserve", 64 * _MIB
_START_BYTES, _FIRST_START_BYTES = 32 * _MIB, 128 * _MIB
_RESTART_BYTES = 4 * _MIB
_RETRY_S = 5.0

_log = structlog.get_logger(__name__)


class DiskFullError(UnavailableError):
    """The disk has room for answers and not for more data.

    Parameters
    ----------
    free_bytes : what it has.
    needed_bytes : what it must have for data to be taken.
    """

    def __init__(self, free_bytes: int, needed_bytes: int) -> None:
        super().__init__("disk", _RETRY_S)
        self.free_bytes = free_bytes
        self.needed_bytes = needed_bytes
        self.args = (free_bytes, needed_bytes)

    def __str__(self) -> str:
        return (
            f"the disk is full: {byte_text(self.free_bytes)} free, of which "
            f"{byte_text(self.needed_bytes)} are kept for answering; data is taken again once "
            "there is more"
        )


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that a directory stands on.

    Parameters
    ----------
    directory : one that exists.
    reserve : bytes that are kept free; None for a twentieth of the disk, from 64 to 512 MiB.
    """

    directory: Path
    reserve: int | None = None

    def free_bytes(self) -> int:
        """What can still be written."""
        state = os.statvfs(self.directory)
        return state.f_bavail * state.f_frsize

    def total_bytes(self) -> int:
        """What the whole disk holds."""
        state = os.statvfs(self.directory)
        return state.f_blocks * state.f_frsize

    @property
    def reserve_bytes(self) -> int:
        """What is kept free for answering."""
        return self._reserve_of(self.total_bytes())

    def require_room_to_accept(self) -> None:
        """Raise `DiskFullError` where no more telemetry is to be accepted."""
        self._require(share=1)

    def require_room_to_store(self) -> None:
        """Raise `DiskFullError` where not even what was accepted is to be stored.

        That goes on further down than accepting: storing it frees the place where it waits.
        """
        self._require(share=2)

    def backlog_bytes(self, queue: Path) -> int:
        """How much may wait to be stored: half of the room, for it is then stored beside it.

        Parameters
        ----------
        queue : directory of what waits already; its room counts as free.
        """
        room = self.free_bytes() + _size(queue) - self.reserve_bytes
        return _within(_LEAST_BACKLOG, room // 2, MOST_BACKLOG)

    def wal_bytes(self) -> int:
        """How large PostgreSQL's log may grow between checkpoints."""
        return _within(_LEAST_WAL, self.total_bytes() // 16, _MOST_WAL)

    def missing_to_start(self, *, first: bool) -> int:
        """Bytes that must be freed before servers can start; a first start makes their files."""
        return max(0, (_FIRST_START_BYTES if first else _RESTART_BYTES) - self.free_bytes())

    def make_room_to_start(self) -> None:
        """Lay a ballast file down where there is room; give it up where there is none."""
        ballast = self.directory / _BALLAST_FILE
        if self.free_bytes() < _START_BYTES and ballast.exists():
            ballast.unlink()
            _log.warning("disk_reserve_released", path=str(ballast), free_bytes=self.free_bytes())
        elif self.free_bytes() > 4 * _BALLAST_BYTES and not ballast.exists():
            _allocate(ballast, _BALLAST_BYTES)

    def _reserve_of(self, total_bytes: int) -> int:
        if self.reserve is not None:
            return self.reserve
        return _within(_LEAST_RESERVE, total_bytes // 20, _MOST_RESERVE)

    def _require(self, share: int) -> None:
        state = os.statvfs(self.directory)  # once: this is asked for every batch
        free_bytes = state.f_bavail * state.f_frsize
        needed_bytes = self._reserve_of(state.f_blocks * state.f_frsize) // share
        if free_bytes < needed_bytes:
            raise DiskFullError(free_bytes, needed_bytes)


def byte_text(count: int) -> str:
    """A number of bytes for people: ``1.5 GiB``."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / _MIB:.0f} MiB"


def _within(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))


def _size(directory: Path) -> int:
    """What the files of a directory take; those that vanish meanwhile take nothing."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.stat(os.path.join(folder, name)).st_size  # noqa: PTH116, PTH118
            except FileNotFoundError:
                continue
    return total


def _allocate(path: Path, count: int) -> None:
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, count)
        except (OSError, AttributeError):  # no room after all, or a system without it
            unfinished.unlink()
            return
    unfinished.rename(path)

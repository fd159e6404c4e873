"""How much room an instance has: on its embedded servers' disk, and in the backlog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from aetherops.runtime.data_dir.disk import MOST_BACKLOG, Disk

if TYPE_CHECKING:
    from collections.abc import Callable

    from aetherops.runtime.settings import Settings

__all__ = ["Room", "room_of"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Room:
    """What may wait to be stored, and what raises where nothing more may be written.

    Parameters
    ----------
    backlog_bytes : the most that waits in the queue.
    require_to_accept, require_to_store : raise `DiskFullError`; nothing where the disk that is
        written then belongs to servers of your own.
    """

    backlog_bytes: int
    require_to_accept: Callable[[], None]
    require_to_store: Callable[[], None]


def room_of(settings: Settings) -> Room:
    """As the settings say, else as the disk allows; what was chosen is told."""
    disk = Disk(settings.data_dir, settings.disk_reserve_bytes)
    keeps_queue, keeps_store = settings.nats_url is None, settings.postgres_dsn is None
    backlog_bytes = settings.ingest_backlog_bytes
    if backlog_bytes is None:
        backlog_bytes = (
            disk.backlog_bytes(settings.data_dir / "nats") if keeps_queue else MOST_BACKLOG
        )
    if keeps_queue:
        _log.info(
            "disk_measured",
            free_bytes=disk.free_bytes(),
            reserve_bytes=disk.reserve_bytes,
            backlog_bytes=backlog_bytes,
        )
    return Room(
        backlog_bytes,
        disk.require_room_to_accept if keeps_queue or keeps_store else _not_ours,
        disk.require_room_to_store if keeps_store else _not_ours,
    )


def _not_ours() -> None:
    """The servers that are written to stand on a disk of their own."""

"""The disk is shared out by what it has; these disks are small file systems in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aetherops.runtime.data_dir.disk import Disk, DiskFullError

MIB = 2**20


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 MiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root makes file systems")
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("no file system can be made here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(place: Path, free_mib: int) -> Path:
    """Leave so much free, by a file that is returned."""
    filling = place / f"filling-{free_mib}"
    with filling.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, Disk(place).free_bytes() - free_mib * MIB)
    return filling


def test_a_reserve_is_kept_and_storing_goes_on_further_than_accepting(small: Path) -> None:
    disk = Disk(small)
    assert disk.reserve_bytes == 64 * MIB
    disk.require_room_to_accept()

    fill(small, 48)
    with pytest.raises(DiskFullError, match=r"^the disk is full: 48 MiB free, of which 64 MiB"):
        disk.require_room_to_accept()
    disk.require_room_to_store()

    fill(small, 16)
    with pytest.raises(DiskFullError):
        disk.require_room_to_store()


def test_a_reserve_that_is_set_counts(small: Path) -> None:
    fill(small, 48)
    Disk(small, reserve=40 * MIB).require_room_to_accept()


def test_a_backlog_may_take_half_of_the_room_and_what_waits_counts_as_free(small: Path) -> None:
    disk, queue = Disk(small), small / "queue"
    queue.mkdir()
    empty = disk.backlog_bytes(queue)
    assert empty == (256 - 64) * MIB // 2

    (queue / "block").write_bytes(bytes(80 * MIB))
    assert disk.backlog_bytes(queue) == empty
    fill(small, 1)
    assert disk.backlog_bytes(queue) == 16 * MIB


def test_a_large_disk_gives_no_more_than_is_of_use(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    assert 64 * MIB <= disk.reserve_bytes <= 512 * MIB
    assert 64 * MIB <= disk.wal_bytes() <= 2**30
    assert 16 * MIB <= disk.backlog_bytes(tmp_path) <= 4 * 2**30


def test_a_ballast_is_given_up_for_a_start_and_laid_down_again(small: Path) -> None:
    disk, ballast = Disk(small), small / "disk-reserve"
    (small / "disk-reserve").write_bytes(bytes(64 * MIB))
    filling = fill(small, 2)
    assert disk.missing_to_start(first=False) == 2 * MIB

    disk.make_room_to_start()

    assert not ballast.exists()
    assert disk.missing_to_start(first=False) == 0
    assert disk.missing_to_start(first=True) == (128 - 66) * MIB
    filling.unlink()
    disk.make_room_to_start()
    assert not ballast.exists()  # a quarter of what is free is too much for it


def test_a_ballast_is_laid_down_where_there_is_room(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    if disk.free_bytes() < 300 * MIB:
        pytest.skip("too little room")
    disk.make_room_to_start()
    assert (tmp_path / "disk-reserve").stat().st_size == 64 * MIB
    assert [path.name for path in tmp_path.iterdir()] == ["disk-reserve"]

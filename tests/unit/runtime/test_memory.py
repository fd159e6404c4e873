"""Freed memory goes back to the system."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from aetherops.runtime.memory import collect_later, spare_what_stays

CODE = """
import asyncio
from pathlib import Path
from aetherops.parts.memory_return import MemoryReturn
from aetherops.runtime.memory import return_freed_memory

def resident_mb():
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

async def main():
    if not return_freed_memory():
        return
    before = resident_mb()
    blocks = [bytearray(50_000) for _ in range(4_000)]
    # What stays behind all others keeps the top of the heap where it is.
    last = blocks.pop()
    assert resident_mb() - before > 150
    del blocks
    part = MemoryReturn(period_s=0.01)
    running = asyncio.create_task(part.run())
    async with asyncio.timeout(10):
        while resident_mb() - before > 50:
            await asyncio.sleep(0.01)
    part.stop()
    await running

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_free_room_between_what_is_kept_is_given_back_until_the_part_is_stopped() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_the_start_made_is_passed_over_by_later_collections():
    before = gc.get_freeze_count()
    try:
        spare_what_stays()

        assert gc.get_freeze_count() > before
        assert len(gc.get_objects()) < gc.get_freeze_count()
    finally:
        gc.unfreeze()


def test_collections_wait_until_the_start_is_over():
    try:
        collect_later()
        assert not gc.isenabled()

        spare_what_stays()
        assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aetherops.runtime.data_dir.locks import AlreadyRunningError, exclusive, is_held


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path / "lock"),
        pytest.raises(AlreadyRunningError) as refusal,
        exclusive(tmp_path / "lock"),
    ):
        pass

    assert refusal.value.pid == str(os.getpid())
    assert str(tmp_path) in str(refusal.value)


def test_the_lock_is_free_again_after_the_block_and_the_file_may_stay(tmp_path: Path) -> None:
    for _ in range(2):
        with exclusive(tmp_path / "lock"):
            assert is_held(tmp_path / "lock")
        assert not is_held(tmp_path / "lock")


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from aetherops.runtime.data_dir.locks import exclusive\n"
        "with exclusive(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, lock], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert is_held(lock)
        holder.kill()

    assert not is_held(lock)
    with exclusive(lock):
        pass


def test_child_processes_do_not_inherit_the_lock(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock"):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with child:
        assert not is_held(tmp_path / "lock")


def test_no_file_is_held_by_nobody(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "absent")

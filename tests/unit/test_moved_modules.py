"""Import paths that programs already use go on working after a module has moved."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys

import pytest

from aetherops._moved import MOVED
from aetherops.telemetry import Moments


@pytest.mark.parametrize("old", sorted(MOVED))
def test_an_old_path_gives_the_module_itself(old: str) -> None:
    module = importlib.import_module(old)
    assert module is importlib.import_module(MOVED[old])
    assert module.__name__ == MOVED[old] == module.__spec__.name


def test_names_of_old_modules_are_where_they_were() -> None:
    from aetherops.runtime.instance import read_instance
    from aetherops.telemetry.csv.times import EpochUnit, Reason, RowError, TimeFormat

    for name in (read_instance, EpochUnit, Reason, RowError, TimeFormat):
        assert name.__module__.startswith(("aetherops.runtime.data_dir.", "aetherops.archive.csv."))


def test_every_old_path_can_be_the_first_import_of_a_program() -> None:
    names = sorted(name for name in MOVED if "postgres" not in name and "jetstream" not in name)
    code = "import sys\n" + "\n".join(f"import {name}" for name in reversed(names))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_was_pickled_under_an_old_path_is_read() -> None:
    moments = Moments([1.0, 2.0])
    pickled = pickle.dumps(moments, protocol=0)
    old = pickled.replace(b"aetherops.aggregation.moments", b"aetherops.telemetry.moments")
    assert old != pickled
    assert pickle.loads(old) == moments


def test_an_old_path_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "aetherops.resilience.diagram"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "stateDiagram" in done.stdout


def test_importing_the_package_again_changes_nothing_of_how_modules_are_found() -> None:
    code = """
import importlib, sys, aetherops
before = list(sys.meta_path)
importlib.reload(aetherops)
assert sys.meta_path == before"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

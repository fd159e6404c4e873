"""The build goes on without a compiler and says so, unless it is told not to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def setup(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("Cython")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AETHEROPS_")}
    return subprocess.run(
        [sys.executable, "setup.py", "-q", *arguments],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def build(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    places = (f"--build-temp={folder / 'temp'}", f"--build-lib={folder / 'lib'}")
    return setup("build_ext", *places, CC="false", **environment)


def test_without_a_compiler_the_twins_are_installed_and_one_line_says_so(tmp_path):
    done = build(tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("aetherops:")]
    assert len(lines) == 1
    assert "built without its compiled core" in lines[0]
    assert not list(tmp_path.rglob("*.so"))


def test_without_a_compiler_a_core_that_is_required_is_an_error(tmp_path):
    assert build(tmp_path, AETHEROPS_REQUIRE_NATIVE="1").returncode != 0


def test_a_disabled_core_is_not_compiled(tmp_path):
    done = build(tmp_path, AETHEROPS_DISABLE_NATIVE="1")
    assert done.returncode == 0, done.stderr
    assert "aetherops:" not in done.stderr


def test_contradictory_switches_are_refused():
    done = setup("--version", AETHEROPS_REQUIRE_NATIVE="1", AETHEROPS_DISABLE_NATIVE="1")
    assert done.returncode != 0
    assert "contradict each other" in done.stderr

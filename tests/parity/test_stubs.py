"""The types that the compiled modules declare are those that they have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aetherops import core

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(300)
def test_stubs_of_the_compiled_modules_agree_with_them():
    pytest.importorskip("aetherops.core._native.aggregation.kernels")
    pytest.importorskip("mypy")
    modules = [f"aetherops.core._native.{module}" for module in core._KERNELS]
    # A stub names what the core offers; what a module has besides, for other modules, it does not.
    command = [sys.executable, "-m", "mypy.stubtest", "--concise", "--ignore-missing-stub"]
    done = subprocess.run(
        [*command, *modules], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr

"""Every way the aggregator can be built and run gives the same bits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Path(__file__).with_name("answers.py")
LONG = os.environ.get("AETHEROPS_LONG_TESTS") == "1"


def digest(package_root: Path = ROOT, n_streams: int = 60, **environment: str) -> tuple[str, str]:
    """The instruction set that ran, and the digest of its answers."""
    done = subprocess.run(
        [sys.executable, str(ANSWERS), str(n_streams)],
        env={**os.environ, "PYTHONPATH": str(package_root), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if "expected auto or one of" in done.stderr:
        pytest.skip("this processor lacks the instruction set")
    assert done.returncode == 0, done.stderr
    name, value = done.stdout.split()
    return name, value


@pytest.fixture(scope="session")
def answer_of_the_twin() -> str:
    pytest.importorskip("aetherops.core._native.aggregation.kernels")
    name, value = digest(AETHEROPS_KERNELS="pure")
    assert name == "python"
    return value


@pytest.mark.parametrize("instruction_set", ["baseline", "avx2", "avx512"])
def test_each_instruction_set_gives_the_bits_of_the_twin(instruction_set, answer_of_the_twin):
    name, value = digest(AETHEROPS_KERNELS="native", AETHEROPS_SIMD=instruction_set)
    assert (name, value) == (instruction_set, answer_of_the_twin)


@pytest.mark.skipif(not LONG, reason="compiles the core again: AETHEROPS_LONG_TESTS=1")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("flags", ["-O0", "-O2 -march=native", "-O3 -funroll-loops"])
def test_no_optimisation_changes_a_bit(flags, answer_of_the_twin, tmp_path):
    for part in ("aetherops", "ext", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / part)
    environment = {**os.environ, "AETHEROPS_NATIVE_CFLAGS": flags, "AETHEROPS_REQUIRE_NATIVE": "1"}
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--force"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    _, value = digest(tmp_path, AETHEROPS_KERNELS="native")
    assert value == answer_of_the_twin


def test_an_unknown_instruction_set_is_refused():
    done = subprocess.run(
        [sys.executable, "-c", "import aetherops.core as core; core.instruction_set()"],
        env={**os.environ, "AETHEROPS_SIMD": "mmx", "AETHEROPS_KERNELS": "auto"},
        capture_output=True,
        text=True,
        check=False,
    )
    if "expected" not in done.stderr and done.returncode == 0:
        pytest.skip("the core is not compiled")
    assert "AETHEROPS_SIMD=mmx: expected auto or one of" in done.stderr

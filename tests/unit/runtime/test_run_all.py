"""The script that runs this suite: when it installs again, and what it says in the end."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "run_all.py"
WORKERS = SCRIPT.parent / "workers"


@pytest.fixture
def run_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, its project a small one of the test's own."""
    spec = importlib.util.spec_from_file_location("run_all", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PROJECT", tmp_path)
    for name in (
        "pyproject.toml",
        "setup.py",
        "ext/kernel.pyx",
        "ext/kernel.h",
        "tests/test_it.py",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return module


def test_it_needs_the_standard_library_alone() -> None:
    checked = subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, "--help"], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr
    assert "--pure" in checked.stdout


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.py", "ext/kernel.pyx", "ext/kernel.h"])
def test_a_changed_source_is_installed_again(
    run_all: ModuleType, tmp_path: Path, name: str
) -> None:
    before = run_all.digest_of_sources()
    (tmp_path / name).write_text("changed")

    assert run_all.digest_of_sources() != before


def test_a_new_kernel_is_installed(run_all: ModuleType, tmp_path: Path) -> None:
    before = run_all.digest_of_sources()
    (tmp_path / "ext" / "further.pyx").touch()

    assert run_all.digest_of_sources() != before


def test_changed_build_flags_are_installed_again(
    run_all: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_all.digest_of_sources()
    monkeypatch.setenv("AETHEROPS_NATIVE_CFLAGS", "-O0")

    assert run_all.digest_of_sources() != before


def test_a_changed_test_needs_no_installation(run_all: ModuleType, tmp_path: Path) -> None:
    before = run_all.digest_of_sources()
    (tmp_path / "tests" / "test_it.py").write_text("changed")

    assert run_all.digest_of_sources() == before


@pytest.mark.parametrize(
    ("test_file", "arguments", "status", "last_line"),
    [
        ("def test_it(): pass", [], 0, "1 passed, 0 failed"),
        ("def test_it(): assert 0\ndef test_is(): pass", [], 1, "1 passed, 1 failed"),
        ("import nowhere_to_be_found", [], 2, "0 passed, 1 failed"),
        ("def test_it(): pass", ["-k", "nothing"], 5, "0 passed, 0 failed"),
        ("import pytest\n@pytest.mark.skip\ndef test_it(): pass", [], 5, "0 passed, 0 failed"),
    ],
    ids=["passes", "fails", "breaks", "selects nothing", "skips all"],
)
def test_the_last_line_counts_and_the_status_says_whether_all_is_well(
    run_all: ModuleType,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    test_file: str,
    arguments: list[str],
    status: int,
    last_line: str,
) -> None:
    (tmp_path / "tests" / "test_it.py").write_text(test_file)

    assert run_all.run_pytest(["-p", "no:cacheprovider", *arguments], pure=False) == status

    assert capfd.readouterr().out.splitlines()[-1] == last_line


def test_pure_forces_the_pure_twins(run_all: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "tests" / "test_it.py").write_text(
        "import os\ndef test_it(): assert os.environ['AETHEROPS_KERNELS'] == 'pure'"
    )

    assert run_all.run_pytest(["-p", "no:cacheprovider"], pure=True) == 0


NOTED = """
import pathlib, pytest, time

def note(text):
    with pathlib.Path(__file__).with_name("noted").open("a") as file:
        file.write(text)

@pytest.fixture(autouse=True)
def noting(request):
    note(f"begin {request.node.name}\\n")
    time.sleep(0.05)
    yield
    note(f"end {request.node.name}\\n")

def test_others_1(): pass
def test_others_2(): pass
"""
MEASURING = """
@pytest.mark.alone
@pytest.mark.parametrize("n", [1, 2])
def test_that_measures(n): pass
"""


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_nothing_runs_beside_a_test_that_measures(
    run_all: ModuleType, tmp_path: Path, workers: int
) -> None:
    options = ["[tool.pytest.ini_options]", 'markers = ["alone"]', f'pythonpath = ["{WORKERS}"]']
    (tmp_path / "pyproject.toml").write_text("\n".join(options))
    (tmp_path / "tests" / "conftest.py").write_text("from alone_last import *")
    (tmp_path / "tests" / "test_first.py").write_text(NOTED + MEASURING)
    for name in ("test_it.py", "test_more.py", "test_most.py"):
        (tmp_path / "tests" / name).write_text(NOTED)

    assert run_all.run_pytest([], pure=False, workers=workers) == 0

    noted = (tmp_path / "tests" / "noted").read_text().splitlines()
    assert len(noted) == 2 * (4 * 2 + 2)
    for begin, end in pairwise(noted):
        if begin.startswith("begin test_that_measures"):
            assert end == begin.replace("begin", "end")
    if workers > 1:
        assert all("measures" in line for line in noted[-4:])


def test_an_interrupt_is_left_to_pytest_which_ends_in_order(
    run_all: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tests" / "test_it.py").write_text(
        "import os, signal\n"
        "def test_it(): pass\n"
        "def test_stopped():\n"
        "    for process in (os.getppid(), os.getpid()):\n"
        "        os.kill(process, signal.SIGINT)\n"
    )

    assert run_all.run_pytest(["-p", "no:cacheprovider"], pure=False) == 2

    assert capfd.readouterr().out.splitlines()[-1] == "1 passed, 0 failed"


def test_without_a_compiler_no_core_is_asked_for(
    run_all: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")

    assert not run_all.can_compile()

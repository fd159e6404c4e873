"""The chooser takes the compiled twins where they are built, and falls back only elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aetherops import core

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ROOT / "ext" / "aetherops" / "core" / "_native"
PURE = ROOT / "aetherops" / "core" / "_pure"


def run(code: str, path: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=path,
        env={**os.environ, "PYTHONPATH": str(path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


SHOW = "from aetherops import core; print(core.IMPLEMENTATION, core.BlockMoments([1, 2]).mean)"


@pytest.fixture
def copied_package(tmp_path: Path) -> Path:
    """The package without what was compiled."""
    shutil.copytree(
        ROOT / "aetherops",
        tmp_path / "aetherops",
        ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"),
    )
    return tmp_path


def test_the_twins_are_taken_where_nothing_is_built(copied_package):
    assert run(SHOW, copied_package, AETHEROPS_KERNELS="auto").stdout == "pure 1.5\n"


def test_the_compiled_core_is_an_error_where_it_is_asked_for_and_not_built(copied_package):
    done = run(SHOW, copied_package, AETHEROPS_KERNELS="native")
    assert "ImportError: the compiled core lacks" in done.stderr


def test_the_twins_can_be_asked_for():
    assert run(SHOW, AETHEROPS_KERNELS="pure").stdout == "pure 1.5\n"


def test_another_choice_is_refused():
    done = run(SHOW, AETHEROPS_KERNELS="fast")
    assert "AETHEROPS_KERNELS: expected auto, native or pure, got 'fast'" in done.stderr


def test_a_core_built_in_part_is_an_error(copied_package):
    built = sorted((ROOT / "aetherops" / "core" / "_native").glob("*/floats*.so"))
    if not built:
        pytest.skip("the core is not compiled")
    shutil.copy(built[0], copied_package / built[0].relative_to(ROOT))
    done = run(SHOW, copied_package, AETHEROPS_KERNELS="auto")
    assert "ImportError: the compiled core lacks" in done.stderr


def test_a_compiled_module_that_cannot_be_imported_is_an_error(copied_package):
    for source in SOURCES.rglob("*.pyx"):
        native = copied_package / "aetherops" / "core" / "_native"
        broken = native / source.relative_to(SOURCES).with_suffix(".py")
        broken.write_text("import a_library_that_is_not_there")
    done = run(SHOW, copied_package, AETHEROPS_KERNELS="auto")
    assert "a_library_that_is_not_there" in done.stderr


def place(name: str) -> str:
    """Where a kernel stands, under the folder of its side."""
    return name.replace(".", "/")


def test_every_compiled_module_has_its_twin_and_its_types():
    assert {place(name) for name in core._KERNELS} == {
        str(path.relative_to(SOURCES).with_suffix("")) for path in SOURCES.rglob("*.pyx")
    }
    for name in core._KERNELS:
        assert (PURE / f"{place(name)}.py").is_file(), name
        assert (ROOT / "aetherops" / "core" / "_native" / f"{place(name)}.pyi").is_file(), name


def test_each_twin_names_the_other_in_its_first_line():
    for name in core._KERNELS:
        pyx = f"ext/aetherops/core/_native/{place(name)}.pyx"
        py = f"aetherops/core/_pure/{place(name)}.py"
        assert py in (ROOT / pyx).read_text().splitlines()[0]
        assert pyx in (ROOT / py).read_text().splitlines()[0]


def test_every_name_of_the_core_is_there():
    for name in core.__all__:
        assert getattr(core, name) is not None
        assert name in dir(core)
    with pytest.raises(AttributeError, match="nonsense"):
        core.nonsense  # noqa: B018


def test_an_unused_kernel_is_not_imported():
    code = """
import sys
from aetherops.telemetry import Moments
print("aetherops.core._pure.aggregation.series" in sys.modules)"""
    assert run(code, AETHEROPS_KERNELS="pure").stdout == "False\n"


@pytest.mark.parametrize("folder", ["_native", "_native/ratelimit"])
def test_a_folder_that_is_missing_is_as_one_without_modules(copied_package, folder):
    shutil.rmtree(copied_package / "aetherops" / "core" / folder)
    assert run(SHOW, copied_package, AETHEROPS_KERNELS="auto").stdout == "pure 1.5\n"
    done = run(SHOW, copied_package, AETHEROPS_KERNELS="native")
    assert "ImportError: the compiled core lacks" in done.stderr


def test_a_core_that_lacks_a_whole_folder_is_an_error(copied_package):
    native = copied_package / "aetherops" / "core" / "_native"
    for source in SOURCES.rglob("*.pyx"):
        (native / source.relative_to(SOURCES).with_suffix(".py")).touch()
    shutil.rmtree(native / "ratelimit")
    done = run(SHOW, copied_package, AETHEROPS_KERNELS="auto")
    assert "ImportError: the compiled core lacks ratelimit.bucket_counters" in done.stderr

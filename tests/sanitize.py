"""Builds the core with AddressSanitizer and UndefinedBehaviorSanitizer and runs tests on it.

    python tests/sanitize.py [--seconds SECONDS] [pytest arguments]

The core is given anything at all, with its twin beside it, for so many seconds (60); then the tests
that compare the twins and those of the core's memory are run, or what the arguments say. The build
lies in a temporary directory; the installed core stays as it is. Needs GCC or Clang with their
sanitizer libraries.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("aetherops", "ext", "tests", "setup.py", "pyproject.toml", "README.md", "LICENSE")
FLAGS = (
    "-O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"
)
DEFAULT_TESTS = (
    "tests/parity/test_any_arguments.py",
    "tests/parity/test_aggregator_kernels.py",
    "tests/parity/test_interrupted_calls.py",
    "tests/parity/test_limiter_counters.py",
    "tests/parity/test_breaker_kernels.py",
    "tests/parity/test_breaker_guards.py",
    "tests/unit/core/test_native_memory.py",
)
# Millions of calls of what the others call thousands of times.
LEFT_OUT = ("-k", "not millions")


def copy_project(folder: Path) -> None:
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, folder / part)


def library(name: str) -> str:
    """Path of a sanitizer library, which must be loaded before the interpreter's own."""
    command = [os.environ.get("CC", "gcc"), f"-print-file-name={name}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def build(folder: Path) -> None:
    environment = {"AETHEROPS_NATIVE_CFLAGS": FLAGS, "AETHEROPS_REQUIRE_NATIVE": "1"}
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--force"],
        cwd=folder,
        env=os.environ | environment,
        check=True,
    )


def run_tests(folder: Path, arguments: list[str], seconds: float) -> int:
    environment = {
        "LD_PRELOAD": " ".join(map(library, ("libasan.so", "libubsan.so"))),
        # The interpreter itself does not free everything, and hides what pymalloc gives out.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": str(folder),
        "AETHEROPS_KERNELS": "native",
        "AETHEROPS_FUZZ_SECONDS": f"{seconds}",
    }
    # A report ends the process: it must not be caught with the test's own output.
    options = ["-p", "no:cacheprovider", "--timeout=600", "--capture=sys", "--durations=12"]
    command = [sys.executable, "-m", "pytest", *options]
    return subprocess.run(
        [*command, *arguments], cwd=folder, env=os.environ | environment, check=False
    ).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="of random arguments")
    options, tests = parser.parse_known_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="aetherops-sanitized-") as name:
        folder = Path(name)
        copy_project(folder)
        build(folder)
        sys.stdout.write(f"built in {time.monotonic() - start:.0f} s\n")
        sys.stdout.flush()
        code = run_tests(folder, tests or [*DEFAULT_TESTS, *LEFT_OUT], options.seconds)
    sys.stdout.write(f"sanitized in {time.monotonic() - start:.0f} s\n")
    return code


if __name__ == "__main__":
    sys.exit(main())

"""Runs the whole test suite on a machine that has only Python.

    python tests/run_all.py [--here] [--pure] [--workers N] [--install-only] [pytest arguments ...]

Makes (or reuses) a virtual environment, installs the project there with its compiled core and its
development tools, and starts pytest, whose fixtures start the servers. One worker process for each
processor, at most four, takes the next file of tests, and each has its own servers; tests marked
``alone`` come last, with nothing beside them. It ends non-zero when a test fails and when none ran.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
ENVIRONMENT = PROJECT / ".venv"
STAMP = "aetherops-installed.sha256"
BUILD_VARIABLES = ("AETHEROPS_DISABLE_NATIVE", "AETHEROPS_NATIVE_CFLAGS", "CC", "CFLAGS")
NO_TEST_RAN = 5  # pytest's own status for it
MOST_WORKERS = 4


def main() -> int:
    if sys.version_info < (3, 11):
        sys.exit(f"AetherOps needs Python 3.11 or newer; this is {platform.python_version()}")
    options, pytest_arguments = parse_arguments()
    if not options.here:
        continue_in_environment()
    install_where_changed()
    if options.install_only:
        return 0
    return run_pytest(pytest_arguments, pure=options.pure, workers=options.workers)


def parse_arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        description="Install the project and run its tests; other arguments go to pytest.",
        allow_abbrev=False,
    )
    parser.add_argument("--here", action="store_true", help="use the active Python environment")
    parser.add_argument("--pure", action="store_true", help="force the pure-Python core")
    parser.add_argument(
        "--workers",
        type=int,
        default=min(os.cpu_count() or 1, MOST_WORKERS),
        metavar="N",
        help="processes that run tests (%(default)s); 1 for pytest's --pdb and -s",
    )
    parser.add_argument("--install-only", action="store_true", help="prepare, and run no test")
    return parser.parse_known_args()


def continue_in_environment() -> None:
    """Run this script again by the Python of ``.venv``, made where it is missing or broken."""
    python = ENVIRONMENT / "bin" / "python"
    if not works(python):
        say(f"making the virtual environment {ENVIRONMENT}")
        try:
            venv.create(ENVIRONMENT, clear=True, with_pip=True)
        except subprocess.CalledProcessError:
            sys.exit("this Python cannot make virtual environments (on Debian: python3-venv)")
    arguments = [str(python), __file__, "--here", *sys.argv[1:]]
    sys.stdout.flush()
    os.execv(python, arguments)


def works(python: Path) -> bool:
    try:
        command = [str(python), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install_where_changed() -> None:
    """Install the project for editing, unless exactly this was installed before and still works."""
    stamp, wanted = Path(sys.prefix) / STAMP, digest_of_sources()
    native = can_compile()
    if stamp.exists() and stamp.read_text() == wanted and (not native or native_core_works()):
        return
    say("installing the project" + ("" if native else " without its compiled core (no C compiler)"))
    stamp.unlink(missing_ok=True)
    environment = os.environ | ({"AETHEROPS_REQUIRE_NATIVE": "1"} if native else {})
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    started = time.monotonic()
    installed = subprocess.run(
        [*command, "--editable", ".[server,embedded,dev]"],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if installed.returncode != 0:
        sys.exit(f"the project could not be installed (pip ended with {installed.returncode})")
    stamp.write_text(wanted)
    say(f"installed in {time.monotonic() - started:.0f} s")


def digest_of_sources() -> str:
    """SHA-256 of all that an installation depends on: sources of the core, metadata, compiler."""
    digest = hashlib.sha256(f"{sys.version} {can_compile()}".encode())
    for name in BUILD_VARIABLES:
        digest.update(f"{name}={os.environ.get(name)}\0".encode())
    for path in build_inputs():
        digest.update(f"{path.relative_to(PROJECT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build_inputs() -> Iterator[Path]:
    yield PROJECT / "pyproject.toml"
    yield PROJECT / "setup.py"
    for path in sorted((PROJECT / "ext").rglob("*")):
        if path.suffix in (".pyx", ".pxd", ".pxi", ".h", ".c"):
            yield path


def can_compile() -> bool:
    """Whether extensions can be built: the core is required then, and skipped where not."""
    if os.environ.get("AETHEROPS_DISABLE_NATIVE", "") not in ("", "0"):
        return False
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    headers = Path(sysconfig.get_path("include"), "Python.h")
    return shutil.which(compiler) is not None and headers.exists()


def native_core_works() -> bool:
    command = [sys.executable, "-c", "import aetherops.core"]
    environment = os.environ | {"AETHEROPS_KERNELS": "native"}
    return subprocess.run(command, env=environment, capture_output=True).returncode == 0


def run_pytest(arguments: list[str], *, pure: bool, workers: int = 1) -> int:
    environment = os.environ | ({"AETHEROPS_KERNELS": "pure"} if pure else {})
    shared = [f"--numprocesses={workers}", "--dist=loadfile"] if workers > 1 else []
    # One order of sets in all workers, another in each run: they have to find the same tests.
    environment.setdefault("PYTHONHASHSEED", str(random.randrange(2**32)))
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="aetherops-run-") as directory, interrupts_left():
        report = Path(directory) / "report.xml"
        status = subprocess.run(
            [sys.executable, "-m", "pytest", f"--junit-xml={report}", *shared, *arguments],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
        ).returncode
        return summarise(report, status, time.monotonic() - started)


@contextmanager
def interrupts_left() -> Iterator[None]:
    """Leave Ctrl-C to pytest, which gets it too: it ends its servers and tells how far it came."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def summarise(report: Path, status: int, elapsed_s: float) -> int:
    """Print the counts as the last line, and return the status: no test run is a failure too."""
    if not report.exists():
        return status or NO_TEST_RAN
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    count = {
        name: sum(int(suite.get(name, 0)) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    }
    failed = count["failures"] + count["errors"]
    passed = count["tests"] - failed - count["skipped"]
    say(f"{elapsed_s:.0f} s on Python {platform.python_version()}, {count['skipped']} skipped")
    print(f"{passed} passed, {failed} failed", flush=True)
    return status or (0 if passed else NO_TEST_RAN)


def say(text: str) -> None:
    print(f"run_all: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

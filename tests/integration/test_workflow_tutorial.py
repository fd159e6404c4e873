"""The tutorial tells the truth: its commands, run in order, say what the page shows."""

from __future__ import annotations

import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .platforms import Platform, running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PAGE = (Path(__file__).parents[2] / "docs" / "workflows.md").read_text("utf-8")
SESSION = "\n".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL))
#: Each command with what the page shows under it.
SHOWN = re.findall(r"^\$ (aetherops [^\n]*)\n((?:(?!\$ )[^\n]*\n)*)", SESSION, re.MULTILINE)


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    # Not pytest's: its directories are closed to the user that PostgreSQL runs as under root.
    directory = Path(tempfile.mkdtemp(prefix="aetherops-tutorial-"))
    with running(directory / "data") as started:
        yield started
    shutil.rmtree(directory)


def without_times(text: str) -> list[str]:
    """The lines without what is another each time: instants, lengths of time, and widths."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)", "INSTANT", text)
    text = re.sub(r"\b[\d.]+s\b", "LENGTH", text)
    text = re.sub(r"[█▒✓✗▶─]+", "BAR", text)
    lines = [
        re.sub(r"\s+", " ", re.sub(r"(BAR ?| )+", " ", line)).strip() for line in text.splitlines()
    ]
    return [line for line in lines if line]


def test_every_command_of_the_tutorial_says_what_the_page_shows(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "96")
    assert len(SHOWN) >= 25
    for command, shown in SHOWN:
        _, name, *arguments = shlex.split(command)
        done = platform.run(name, *arguments)
        assert without_times(done.output + done.errors) == without_times(shown), command

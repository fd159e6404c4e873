"""The page about workflows tells the truth where it needs no server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aetherops.workflow import TRANSITIONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "workflows.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", PROGRAMS)
def test_a_program_prints_what_its_comments_say(code, capsys):
    exec(compile(code, "workflows.md", "exec"), {})

    assert capsys.readouterr().out.splitlines() == re.findall(r"print.*  # (.*)$", code, re.M)


def test_every_state_is_drawn():
    (picture,) = re.findall(r"```\n(created ─.*?)```", PAGE, re.DOTALL)
    assert set(re.findall(r"[a-z-]+", picture)) == set(TRANSITIONS)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\((?!http)([^)#]+)", PAGE))))
def test_every_page_that_it_names_exists(path):
    assert (ROOT / "docs" / path).exists()


def test_the_program_of_the_page_about_execution_is_a_definition(capsys):
    page = (ROOT / "docs" / "workflow-execution.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(compile(code, "workflow-execution.md", "exec"), {})
    assert capsys.readouterr().out == "burn:1\n"
